import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { regshift } from '../support/cli.ts';
import { alice, type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers, runProgram } from '../support/programs.ts';

const sample = 'sample/schema2';
const isRoot = process.getuid?.() === 0;

describe.skipIf(requirePeers('docker-registry', 'podman'))('the login of podman login', () => {
  const [username = '', password = ''] = alice.login.split(':');
  let home: string;
  let registry: DockerRegistry;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-podman-login-'));
    registry = await startDockerRegistry({ htpasswd: alice.htpasswd, samples: [sample] });
  });
  afterAll(async () => {
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  /** Podman of root writes below `/run/containers` without XDG_RUNTIME_DIR. */
  it.each([true, ...(isRoot ? [false] : [])])('is found with XDG_RUNTIME_DIR: %s', async (isSet) => {
    const { host } = new URL(registry.url);
    const runtimeDir = isSet ? home : '';
    const podman = (...argv: string[]) =>
      runProgram(
        'env',
        ['-u', 'REGISTRY_AUTH_FILE', `XDG_RUNTIME_DIR=${runtimeDir}`, 'podman', ...argv],
        home,
      );
    const inspect = () =>
      regshift(['inspect', `${host}/${sample}`], { env: { XDG_RUNTIME_DIR: runtimeDir } });
    await podman('login', '--tls-verify=false', '-u', username, '-p', password, host);
    try {
      expect(await inspect()).toMatchObject({ code: 0, err: '' });
    } finally {
      await podman('logout', host);
    }
    expect((await inspect()).code).toBe(1);
  });

  it('for a part of a registry is for its repositories alone', async () => {
    const { host } = new URL(registry.url);
    const authFile = join(home, 'part.json');
    const options = ['--authfile', authFile, '--tls-verify=false', '-u', username, '-p', password];
    await runProgram('podman', ['login', ...options, `${host}/sample`], home);
    const errorFor = async (name: string) =>
      (await regshift(['inspect', `${host}/${name}`], { env: { REGISTRY_AUTH_FILE: authFile } })).err;
    expect(await errorFor(sample)).toBe('');
    expect(await errorFor('samples/app')).toContain('Log in with docker login');
  });
});
