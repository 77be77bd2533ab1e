import { connect } from 'node:net';
import { parseArgs } from 'node:util';

/**
 * Sends requests as fast as it can for a number of seconds, over plain sockets that stay open, in a separate process:
 * `load.ts --port 5000 --seconds 2 --connections 32 --method HEAD --path /v2/a/manifests/{}`. `{}` stands for the number
 * of the connection. `--body` is the text of each request's body, and `--status` the status of a good response. It
 * prints the good responses per second. A bad response ends it with status 1.
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '' },
    path: { type: 'string', default: '/' },
    method: { type: 'string', default: 'GET' },
    connections: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '2' },
    header: { type: 'string', multiple: true, default: [] },
    body: { type: 'string', default: '' },
    status: { type: 'string', default: '200' },
  },
});

let answers = 0;
let counting = false;

function run(number: number): void {
  const head = values.method === 'HEAD';
  const lines = [`${values.method} ${values.path.replace('{}', String(number))} HTTP/1.1`, 'Host: bench'];
  const length = Buffer.byteLength(values.body);
  if (length > 0) lines.push(`Content-Length: ${length}`);
  const asked = Buffer.from(`${[...lines, ...values.header].join('\r\n')}\r\n\r\n${values.body}`);
  const socket = connect(Number(values.port), '127.0.0.1', () => socket.write(asked));
  socket.setNoDelay(true);
  let text = '';
  let left = 0;
  socket.on('data', (bytes) => {
    if (left > 0) {
      left -= bytes.length;
    } else {
      text += bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      if (!text.startsWith(`HTTP/1.1 ${values.status}`)) fail(text.slice(0, 300));
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? Number.NaN);
      left = (head ? 0 : length) - (text.length - end - 4);
      text = '';
    }
    if (left > 0) return;
    if (counting) answers += 1;
    socket.write(asked);
  });
  socket.on('error', (error) => fail(String(error)));
}

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}

for (let number = 0; number < Number(values.connections); number += 1) run(number);
// Responses of the first milliseconds are not counted: the first requests are slow.
const warm = 500;
setTimeout(() => {
  counting = true;
}, warm);
setTimeout(
  () => {
    console.log(answers / Number(values.seconds));
    process.exit(0);
  },
  warm + Number(values.seconds) * 1000,
);
