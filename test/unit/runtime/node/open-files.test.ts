import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tooFewFiles } from '../../../../src/runtime/node/open-files.ts';

const root = join(import.meta.dirname, '../../../..');

it('have no limit where the system tells none', () => {
  expect(tooFewFiles(1_000_000, '/nowhere/limits')).toBeUndefined();
});

/** The warnings of a start whose shell allows so many open files. */
async function warningsAt(limit: number, most: number): Promise<unknown[]> {
  const script = `ulimit -n ${limit} && exec "$0" src/start.js serve`;
  const child = spawn('sh', ['-c', script, process.execPath], {
    cwd: root,
    env: { PATH: process.env.PATH, PORT: '0', REGSHIFT_UPSTREAM: 'sample', REGSHIFT_MAX_REQUESTS: `${most}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    out += piece;
    if (out.includes('regshift serves')) child.kill('SIGINT');
  });
  await once(child, 'close');
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return lines.filter(({ message }) => message.includes('files may be open'));
}

it.skipIf(process.platform !== 'linux')('are few for REGSHIFT_MAX_REQUESTS: the start warns', async () => {
  expect(await warningsAt(500, 400)).toEqual([
    expect.objectContaining({
      level: 'warn',
      message: 'fewer files may be open than REGSHIFT_MAX_REQUESTS needs',
      limit: 500,
      needed: 900,
      remedy: 'raise the limit (ulimit -n, LimitNOFILE) to 900, or set REGSHIFT_MAX_REQUESTS=200',
    }),
  ]);
});

it.skipIf(process.platform !== 'linux')('are enough for REGSHIFT_MAX_REQUESTS: no word', async () => {
  expect(await warningsAt(500, 200)).toEqual([]);
});
