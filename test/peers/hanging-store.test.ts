import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { freePort } from '../support/daemon.ts';
import { type HangingFolder, hangFolder, requireHangingFolder } from '../support/hanging-folder.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { requirePeers } from '../support/programs.ts';
import { rawRequest } from '../support/raw-http.ts';
import { projectRoot } from '../support/wrangler.ts';

const reason = requirePeers('mount', 'umount') ?? requireHangingFolder();

/** The proxy in a process of its own, in front of the sample registry. */
async function startWithStore(folder: string) {
  const port = await freePort();
  const metricsPort = await freePort();
  const child = spawn(process.execPath, ['src/cli.ts', 'serve'], {
    cwd: projectRoot,
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      REGSHIFT_METRICS_PORT: String(metricsPort),
      REGSHIFT_STORE: `file://${folder}`,
      REGSHIFT_SHUTDOWN_GRACE: '0',
      REGSHIFT_SHUTDOWN_DEADLINE: '2',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  await expect.poll(() => out, { timeout: 20_000 }).toContain('"message":"regshift serves"');
  const get = (path: string) =>
    rawRequest({
      port,
      method: 'GET',
      path,
      headers: manifestRequestHeaders['Docker 1.13.1'],
      deadline: 20_000,
    });
  return { child, get, metrics: `http://127.0.0.1:${metricsPort}/metrics`, out: () => out };
}

describe.skipIf(reason)('a folder for layers that hangs, as an NFS without its server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-hangs-'));
  let hanging: HangingFolder;
  beforeAll(() => {
    hanging = hangFolder(folder);
  });
  afterAll(() => {
    hanging?.release();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['serve', { HOST: '192.0.2.1' }, 1],
    ['serve', { REGSHIFT_TAG_TTL: 'x' }, 2],
    ['check-config', {}, 0],
  ] as const)('does not keep a command from its end: %s %j', async (command, variables, code) => {
    const child = spawn(process.execPath, ['src/cli.ts', command], {
      cwd: projectRoot,
      env: { PATH: process.env.PATH, REGSHIFT_STORE: `file://${folder}`, PORT: '0', ...variables },
      stdio: 'ignore',
    });
    try {
      await expect.poll(() => child.exitCode, { timeout: 25_000 }).toBe(code);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('fails no pull, holds half of the threads, and does not keep the process from its end', async () => {
    const { child, get, metrics, out } = await startWithStore(folder);
    try {
      const pull = async (repository: string) => {
        const { status, body } = await get(`/v2/${repository}/manifests/latest`);
        expect(status).toBe(200);
        const { layers } = JSON.parse(new TextDecoder().decode(body)) as {
          readonly layers: readonly { readonly digest: string }[];
        };
        expect(layers.length).toBeGreaterThan(0);
        for (const { digest } of layers) {
          const layer = await get(`/v2/${repository}/blobs/${digest}`);
          expect([layer.status, digestOf(layer.body)]).toEqual([200, digest]);
        }
      };
      // Each of them needs threads for zstd.
      const repositories = ['sample/oci-zstd', 'sample/oci', 'sample/oci-zstd'];
      await Promise.all(repositories.map(pull));
      const caches = async () => JSON.parse(new TextDecoder().decode((await get('/readyz')).body)).caches;
      expect(await caches()).toEqual({ store: 'away' });
      const hung = async () => {
        await pull('sample/oci-zstd');
        return (await fetch(metrics)).text();
      };
      await expect
        .poll(hung, { timeout: 40_000, interval: 1_000 })
        .toMatch(/^regshift_store_hung_operations 2$/m);
      expect(await caches()).toEqual({ store: 'away' });
      // One line for reads, and one for writes, in a minute.
      expect(out().match(/"message":"the store of layers failed/g)?.length).toBeLessThanOrEqual(2);
      expect((await get('/readyz')).status).toBe(200);
      const ended = once(child, 'close');
      const since = performance.now();
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      expect(performance.now() - since).toBeLessThan(10_000);
      expect(out()).toContain('"message":"stopped"');
    } finally {
      child.kill('SIGKILL');
    }
  });
});
