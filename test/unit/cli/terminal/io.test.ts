import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../../support/wrangler.ts';

async function run(argv: readonly string[], input?: string, output: number | 'pipe' = 'pipe') {
  const stdio = ['pipe', output, 'pipe'] as const;
  const child = spawn(process.execPath, ['src/cli.ts', ...argv], { cwd: projectRoot, stdio: [...stdio] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = child.stderr ? text(child.stderr) : '';
  child.stdin?.on('error', () => undefined);
  if (input === undefined) child.stdin?.end();
  else {
    const write = () => {
      while (child.stdin?.writable && child.stdin.write(input));
    };
    child.stdin?.on('drain', write);
    write();
  }
  const [code] = await once(child, 'exit');
  return { code, err: await said };
}

it.each([['--help'], ['inspect', '--help']])(
  'a result that a full disk does not take is one sentence: %s',
  async (...argv) => {
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const { code, err } = await run(argv, undefined, full);
    expect([code, err]).toEqual([1, 'regshift: the result cannot be written: there is no space left\n']);
  },
);

it.each([
  ['-', 'standard input', 'x'.repeat(65_536)],
  ['/dev/zero', '/dev/zero', undefined],
])(
  'a document without an end is read up to its limit: %s',
  { timeout: 20_000 },
  async (file, name, input) => {
    const { code, err } = await run(['convert', file, '--to', 'oci'], input);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(`${name} is too large for a manifest or a config`),
    ]);
  },
);
