import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const source = join(import.meta.dirname, '../../../../src/runtime/node/uncaught.ts');

/** Runs lines in a process that logs uncaught exceptions. The process prints `on` if it still runs after 100 ms. */
async function run(lines: string) {
  const script = `
    import { logUncaught } from ${JSON.stringify(source)};
    logUncaught((level, message, { reason, stack }) => console.log(level, message, reason, !!stack), process.exit);
    setTimeout(() => console.log('on'), 100);
    ${lines}`;
  const args = ['--input-type=module', '--eval', script];
  const ran = promisify(execFile)(process.execPath, args, { timeout: 10_000 });
  const { code = 0, stdout } = (await ran.catch((error: { code: number; stdout: string }) => error)) as {
    code?: number;
    stdout: string;
  };
  return { code, lines: stdout.trim().split('\n') };
}

it('an unhandled rejection is logged, and the process goes on', async () => {
  const logged = 'error a promise was rejected, and nothing has handled it forgotten true';
  expect(await run(`void Promise.reject(new Error('forgotten'))`)).toEqual({
    code: 0,
    lines: [logged, 'on'],
  });
});

it('an uncaught exception is logged, and ends the process', async () => {
  const logged = 'error the process ends: nothing has caught an exception wrong true';
  const lines = `setTimeout(() => { throw new Error('wrong') })`;
  expect(await run(lines)).toEqual({ code: 1, lines: [logged] });
});
