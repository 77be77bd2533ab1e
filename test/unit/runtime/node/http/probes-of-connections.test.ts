import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createHttpFetch } from '../../../../../src/runtime/node/http/fetch.ts';
import { answer, startServer } from '../../../upstream/local-server.ts';

/**
 * Seconds until the kernel probes a connection of this process (proc_net_tcp.txt of Linux: `tr` 2 is the keep-alive
 * timer, and `tm->when` counts hundredths).
 */
function secondsToProbe(localPort: number | undefined, serverPort: string): number | undefined {
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readFileSync(file, 'utf8').split('\n'));
  const end = (port: number) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const [own, other] = [end(localPort ?? 0), end(Number(serverPort))];
  // Connections to other servers may have the same port here.
  const columns = lines
    .map((line) => line.trim().split(/\s+/))
    .find(([, local, remote]) => local?.endsWith(own) && remote?.endsWith(other));
  const [timer, when = ''] = columns?.[5]?.split(':') ?? [];
  return timer === '02' ? Number.parseInt(when, 16) / 100 : undefined;
}

describe.skipIf(process.platform !== 'linux')('a connection to upstream', () => {
  it.each(['127.0.0.1', 'localhost'])(
    'is probed late with a request, so that %s may be silent for long, and early without one',
    async (host) => {
      const pending = Promise.withResolvers<ServerResponse>();
      const { url } = await startServer((request, response) => {
        if (request.url === '/first') answer(response, 200, 'content');
        else pending.resolve(response);
      });
      const fetch = createHttpFetch();
      const read = async (path: string) => (await fetch(`http://${host}:${url.port}${path}`, {})).text();
      await read('/first');
      const asking = read('/second');
      const response = await pending.promise;
      const port = response.socket?.remotePort;
      await expect.poll(() => secondsToProbe(port, url.port), { timeout: 10_000 }).toBeGreaterThan(5);
      answer(response, 200, 'late');
      expect(await asking).toBe('late');
      await expect.poll(() => secondsToProbe(port, url.port)).toBeLessThan(5);
    },
  );
});
