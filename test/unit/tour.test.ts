import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { version } from '../../src/version.ts';
import { regshift } from '../support/cli.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { type SampleServer, startSampleServer } from '../support/sample-server.ts';

const page = readFileSync(new URL('../../docs/tour.md', import.meta.url), 'utf8');

/** Each block of commands, and the output below it; undefined where the text continues without one. */
const [begin, ...examples] = [...page.matchAll(/^```sh\n([\s\S]*?)^```\n(?:\n```\n([\s\S]*?)^```\n)?/gm)].map(
  ([, commands = '', output]) => ({ commands, output }),
);

let registry: SampleServer;
let proxy: RunningProxy;
let folder: string;
beforeAll(async () => {
  // The widths of lines are those of addresses with four digits, like those of the page.
  registry = await startSampleServer(await portOfFourDigits());
  proxy = await startProxy(registry.url, { PORT: String(await portOfFourDigits()) });
  folder = mkdtempSync(join(tmpdir(), 'regshift-tour-'));
});
afterAll(async () => {
  await proxy?.stop();
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
  // The output of `save` has the name of its file as it was given, so the file is in the working folder.
  rmSync('image.tar', { force: true });
});

async function portOfFourDigits(): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = 2000 + Math.floor(Math.random() * 7999);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port');
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Runs a line of an example as on a terminal. Files are in the folder of the test. */
async function run(line: string): Promise<string> {
  const words = line
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${proxy.port}`)
    .replaceAll('127.0.0.1:5000', new URL(registry.url).host)
    .replace(/(?<=[ =])[\w-]+\.(?:json|pem)\b/g, (file) => join(folder, file))
    .split(' ');
  if (words[0] === 'curl') {
    const [, , file = '', url = ''] = words;
    const response = await fetch(url, { headers: { accept: '*/*' } });
    writeFileSync(file, new Uint8Array(await response.arrayBuffer()));
    return '';
  }
  const start = words.indexOf('regshift');
  const env = Object.fromEntries(words.slice(0, start).map((word) => word.split('=') as [string, string]));
  const { out, err } = await regshift(words.slice(start + 1), { env, columns: 80 });
  expect(err).not.toMatch(/^regshift:|error:/m);
  return out
    .replaceAll(`127.0.0.1:${proxy.port}`, '127.0.0.1:8080')
    .replaceAll(new URL(registry.url).host, '127.0.0.1:5000');
}

// An archive is written under the name that the output has, so that its lines have the same width.
afterAll(() => rmSync('image.tar', { force: true }));

test('docs/tour.md begins in a scratch folder, with the command of the clone', () => {
  const lines = `${begin?.commands}command -v regshift; pwd; regshift version`.replaceAll('\n', ' && ');
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const [command, scratch = '', printed] = execFileSync('sh', ['-c', lines], { cwd, encoding: 'utf8' }).split(
    '\n',
  );
  rmSync(scratch, { recursive: true });
  expect(command).toBe(join(cwd, 'node_modules/.bin/regshift'));
  expect(scratch.startsWith(cwd)).toBe(false);
  expect(printed).toContain(version);
});

test('docs/tour.md has examples', () => {
  expect(examples.length).toBeGreaterThanOrEqual(6);
});

test.each(examples)('$commands', async ({ commands, output }) => {
  let printed = '';
  for (const line of commands.trim().split('\n')) printed += await run(line);
  if (output !== undefined) expect(printed).toBe(output);
});
