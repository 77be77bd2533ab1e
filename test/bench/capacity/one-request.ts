import { connect } from 'node:net';
import { manifestRequestHeaders } from '../../support/old-clients.ts';

export interface OneRequest {
  readonly port: number;
  readonly path: string;
  readonly client?: 'Docker 1.13.1' | 'Docker 1.9.1' | undefined;
}

/** The bytes that all connections read into: no response is looked at beyond its head. */
const shared = new Uint8Array(262_144);

/**
 * Sends a GET with the headers of an old Docker on its own connection, as Docker does: it asks for the end of the
 * connection after each response (`DisableKeepAlives` in moby's `distribution/registry.go`).
 * @returns the bytes of the response.
 * @throws Error for a status other than 200, or a connection that ends early.
 */
export function oneRequest({ port, path, client = 'Docker 1.13.1' }: OneRequest): Promise<number> {
  const lines = manifestRequestHeaders[client].map((line) => line.join(': '));
  const text = [`GET ${path} HTTP/1.1`, 'Host: site', ...lines, '', ''].join('\r\n');
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let bytes = 0;
  let expected = Number.NaN;
  let status = '';
  const onread = {
    buffer: shared,
    callback(count: number): boolean {
      if (bytes === 0) {
        const start = Buffer.from(shared.buffer, 0, Math.min(count, 4096)).toString('latin1');
        status = start.slice(0, 12);
        expected = start.indexOf('\r\n\r\n') + 4 + Number(/\r\ncontent-length: *(\d+)/i.exec(start)?.[1]);
      }
      bytes += count;
      return true;
    },
  };
  const socket = connect({ port, host: '127.0.0.1', onread }, () => socket.write(text));
  socket.on('error', reject);
  socket.on('close', () => {
    if (status === 'HTTP/1.1 200' && bytes === expected) resolve(bytes);
    else
      reject(new Error(`${path}: ${status === '' ? 'no response' : status} ${bytes} of ${expected} bytes`));
  });
  return promise;
}
