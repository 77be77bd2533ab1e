import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createSampleRegistry } from '../../../../src/sample-registry/registry.ts';
import { listen } from '../../../support/listen.ts';
import { projectRoot } from '../../../support/wrangler.ts';

const samples = createSampleRegistry();

/** The samples; the whole layers never come if `stalls`. */
async function startSamples(stalls: boolean) {
  const manifest = await samples.fetch('http://sample.test/v2/sample/oci/manifests/latest');
  const { layers } = (await manifest.json()) as { layers: { digest: string }[] };
  const server = createServer(async ({ method = 'GET', url = '/', headers }, response) => {
    if (stalls && headers.range === undefined && layers.some(({ digest }) => url.endsWith(digest))) return;
    const answer = await samples.fetch(`http://sample.test${url}`, { method });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  });
  return listen(server);
}

it.each(['SIGINT', 'SIGTERM'] as const)(
  'the folder of layers is private, and %s removes it, and the unfinished archive',
  async (signal) => {
    const registry = await startSamples(true);
    onTestFinished(() => registry.stop());
    const folder = mkdtempSync(join(tmpdir(), 'regshift-spool-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'image.tar');
    const argv = ['src/cli.ts', 'save', `${registry.host}/sample/oci`, '--for', 'docker-1.9', '-o', file];
    const env = { ...process.env, TMPDIR: folder, DOCKER_CONFIG: folder };
    const child = spawn(process.execPath, argv, { cwd: projectRoot, env, stdio: 'ignore' });
    const ended = once(child, 'exit');
    const spools = () => readdirSync(folder).filter((name) => name.startsWith('regshift-layers-'));
    await vi.waitFor(() => expect(spools()).toHaveLength(1), { timeout: 20_000, interval: 50 });
    expect(statSync(join(folder, spools()[0] ?? '')).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).filter((name) => name.includes('image.tar'))).toHaveLength(1);
    child.kill(signal);
    expect(await ended).toEqual([null, signal]);
    expect(spools()).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.includes('image.tar'))).toEqual([]);
  },
);

it.each([
  ['has gone', 'pipe', 0],
  ['is a full disk', 'full', 1],
] as const)('the folder of layers goes where the reader of the archive %s', async (_, output, code) => {
  const registry = await startSamples(false);
  onTestFinished(() => registry.stop());
  const folder = mkdtempSync(join(tmpdir(), 'regshift-spool-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const full = output === 'full' ? openSync('/dev/full', 'w') : undefined;
  if (full !== undefined) onTestFinished(() => closeSync(full));
  const argv = ['src/cli.ts', 'save', `${registry.host}/sample/oci`, '--for', 'docker-1.9'];
  const env = { ...process.env, TMPDIR: folder, DOCKER_CONFIG: folder };
  const stdio = ['ignore', full ?? 'pipe', 'pipe'] as const;
  const child = spawn(process.execPath, argv, { cwd: projectRoot, env, stdio: [...stdio] });
  child.stdout?.destroy();
  const said = child.stderr ? text(child.stderr) : '';
  expect(await once(child, 'exit')).toEqual([code, null]);
  expect(readdirSync(folder).filter((name) => name.startsWith('regshift-layers-'))).toEqual([]);
  expect(await said).not.toMatch(/\n\s+at /);
});
