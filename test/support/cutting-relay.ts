import { createServer, request } from 'node:http';
import { listen } from './listen.ts';

export interface CuttingRelay {
  readonly port: number;
  /** The ranges of the requests for the cut path, `undefined` for the whole. */
  readonly ranges: readonly (string | undefined)[];
  stop(): Promise<void>;
}

/**
 * A relay that resets the connection of the first responses for one path, each after the same number of bytes.
 * @param cuts how many responses are cut.
 */
export async function startCuttingRelay(
  target: number,
  path: string,
  after: number,
  cuts: number,
): Promise<CuttingRelay> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const isCut = url === path && method === 'GET' && ranges.push(headers.range) <= cuts;
    const onward = request({ port: target, host: '127.0.0.1', method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      let sent = 0;
      answer.on('data', (bytes: Uint8Array) => {
        sent += bytes.length;
        outgoing.write(bytes);
        // The bytes must have left before the reset, which drops what is in a buffer.
        if (isCut && sent >= after) {
          answer.pause();
          setTimeout(() => outgoing.socket?.resetAndDestroy(), 200);
        }
      });
      answer.on('end', () => outgoing.end());
      answer.on('error', () => outgoing.destroy());
      outgoing.on('close', () => answer.destroy());
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  const { port, stop } = await listen(server);
  return { port, ranges, stop };
}
