import { request } from 'node:http';
import { Readable } from 'node:stream';

/**
 * Uploads `argv[3]` bytes to a port, over a number of connections at the same time, as containerd does: POST, then PUT
 * of the whole blob. It sends the same memory again and again, so that the client costs little. It prints the seconds.
 */
const [port, connections, length] = process.argv.slice(2).map(Number);
const piece = new Uint8Array(65_536).fill(7);

function send(method: string, path: string, size: number, body?: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Length': size, 'Content-Type': 'application/octet-stream' };
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.headers.location ?? ''));
      const isTaken = answer.statusCode === 201 || answer.statusCode === 202;
      if (!isTaken) reject(new Error(`${method} ${path}: ${answer.statusCode}`));
    });
    sent.on('error', reject);
    if (body) body.pipe(sent);
    else sent.end();
  });
}

function* pieces(size: number): Generator<Uint8Array> {
  for (let left = size; left > 0; left -= piece.length) yield piece.subarray(0, left);
}

async function upload(size: number): Promise<void> {
  const begun = await send('POST', '/v2/bench/app/blobs/uploads/', 0);
  const location = new URL(begun, 'http://bench');
  location.searchParams.set('digest', `sha256:${'0'.repeat(64)}`);
  await send(
    'PUT',
    `${location.pathname}${location.search}`,
    size,
    Readable.from(pieces(size), { objectMode: false }),
  );
}

const started = performance.now();
await Promise.all(Array.from({ length: connections ?? 1 }, () => upload(length ?? 0)));
console.log((performance.now() - started) / 1000);
