import { connect } from 'node:net';

/**
 * Downloads `argv[3]` bytes of a body from the path `argv[4]` at a port, over a number of connections at the same time.
 * It reads as fast as the bytes arrive, into memory that it reuses, so that the client costs little. It prints the
 * seconds.
 */
const [port, connections, length, path] = process.argv.slice(2);

function download(): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = 0;
    const onread = {
      buffer: new Uint8Array(262_144),
      callback(count: number): boolean {
        received += count;
        if (received < Number(length)) return true;
        socket.destroy();
        resolve();
        return false;
      },
    };
    const socket = connect({ port: Number(port), host: '127.0.0.1', onread }, () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`),
    );
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${received} bytes came`)));
  });
}

const started = performance.now();
await Promise.all(Array.from({ length: Number(connections) }, download));
console.log((performance.now() - started) / 1000);
