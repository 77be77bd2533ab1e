import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { alice, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';

it.skipIf(requirePeers('docker-registry', 'skopeo'))(
  'a docker-registry that names itself otherwise takes pushes through regshift, with its login',
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'regshift-renamed-registry-'));
    const source = await startDockerRegistry({ samples: ['sample/oci'] });
    const { htpasswd, login } = alice;
    const inner = await startDockerRegistry({ named: 'http://registry.internal:5000', htpasswd });
    onTestFinished(async () => {
      await inner.stop();
      await source.stop();
      rmSync(home, { recursive: true, force: true });
    });
    const from = `docker://127.0.0.1:${source.port}/sample/oci`;
    await runProgram('skopeo', ['copy', '--src-tls-verify=false', from, `dir:${home}/image`], home);
    const push = async (aliases: Record<string, string>) => {
      const proxy = await startProxy(inner.url, aliases);
      onTestFinished(() => proxy.stop());
      const to = `docker://127.0.0.1:${proxy.port}/team/app:1`;
      const options = ['--dest-tls-verify=false', '--dest-creds', login];
      return runProgram('skopeo', ['copy', ...options, `dir:${home}/image`, to], home);
    };
    await expect(push({})).rejects.toThrow();
    await push({ REGSHIFT_UPSTREAM_ALIASES: 'http://registry.internal:5000' });
  },
);
