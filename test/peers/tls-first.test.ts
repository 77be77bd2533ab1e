import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';

const program = join(import.meta.dirname, '../support/tls-first/main.go');

describe.skipIf(requirePeers('go', 'docker-registry'))('a client of Go that tries TLS first', () => {
  let home: string;
  let registry: DockerRegistry;
  let proxy: RunningProxy;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-tls-first-'));
    await runProgram('go', ['build', '-o', join(home, 'tls-first'), program], home);
    registry = await startDockerRegistry();
    proxy = await startProxy(registry.url);
  });
  afterAll(async () => {
    await proxy?.stop();
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  it.each(['1.0', '1.2', '1.3'])(
    'falls back to plain HTTP, as in front of docker-registry: TLS %s',
    async (version) => {
      const ask = (port: number) => runProgram(join(home, 'tls-first'), [`127.0.0.1:${port}`, version], home);
      expect(await ask(registry.port)).toBe('HTTP/ 200');
      expect(await ask(proxy.port)).toBe('HTTP/ 200');
    },
  );
});
