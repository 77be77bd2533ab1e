import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/daemon.ts';
import { startHostileUpstream } from '../support/faults/hostile-upstream.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';

describe.skipIf(requirePeers('skopeo'))('skopeo --retry-times', () => {
  async function copy(port: number, whileItRuns: () => Promise<void>): Promise<void> {
    const home = await mkdtemp(join(tmpdir(), 'regshift-retries-'));
    try {
      const from = `docker://127.0.0.1:${port}/sample/schema2`;
      const args = [
        '--insecure-policy',
        'copy',
        '--retry-times',
        '5',
        '--src-tls-verify=false',
        from,
        'dir:copy',
      ];
      const copied = runProgram('skopeo', args, home);
      await Promise.all([copied, whileItRuns()]);
      expect(await copied).toContain('Writing manifest');
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  }

  it('comes to its end when the proxy is started again meanwhile', async () => {
    const port = await freePort();
    const upstream = await startHostileUpstream();
    const stops: (() => Promise<void>)[] = [upstream.stop];
    await copy(port, async () => {
      await sleep(1_500);
      stops.unshift((await startProxy(upstream.url, { PORT: String(port) })).stop);
    });
    for (const stop of stops) await stop();
  });
});
