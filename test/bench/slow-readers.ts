import { connect } from 'node:net';

/**
 * Reads the path `argv[4]` at a port over a number of connections, each by 64 KiB a second, until it is killed. It prints
 * a line when each connection has got its first bytes.
 */
const [port, connections, path] = process.argv.slice(2);
const pieceBytes = 65_536;
let begun = 0;

function readSlowly(): void {
  const socket = connect(Number(port), '127.0.0.1', () =>
    socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`),
  );
  let got = 0;
  socket.on('data', (bytes) => {
    if (got === 0) begun += 1;
    if (got === 0 && begun === Number(connections)) console.log('begun');
    got += bytes.length;
    if (got < pieceBytes) return;
    got = 1;
    socket.pause();
    setTimeout(() => socket.resume(), 1_000);
  });
  socket.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
}

for (let each = 0; each < Number(connections); each += 1) readSlowly();
