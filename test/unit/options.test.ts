import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { readNames, readNumber, readOptions } from '../support/options.ts';
import { projectRoot } from '../support/wrangler.ts';

const known = { machines: { type: 'string' }, json: { type: 'boolean' } } as const;

test('options have their values', () => {
  expect(readOptions(known, ['--machines', '5', '--json'])).toEqual({ machines: '5', json: true });
  expect(readOptions(known, ['--machines=-5'])).toEqual({ machines: '-5' });
  expect(readOptions({ seed: { type: 'string', default: '1' } }, [])).toEqual({ seed: '1' });
});

test.each([
  [['--foo'], 'There is no option --foo; there are --machines, --json.'],
  [['--toString'], 'There is no option --toString; there are --machines, --json.'],
  [['-x'], 'There is no option -x; there are --machines, --json.'],
  [['--machines'], '--machines needs a value.'],
  [['--json=yes'], '--json takes no value.'],
  [['five'], 'There is no argument five.'],
])('%j is refused: %s', (args, message) => {
  expect(() => readOptions(known, args)).toThrow(message);
});

test.each(['-5', 'x', '', ' ', 'Infinity', '0.5'])('the number %j is refused', (text) => {
  const message = `--machines must be a number of 1 or more, and is ${JSON.stringify(text)}.`;
  expect(() => readNumber('machines', text, 1)).toThrow(message);
});

test('a name that is not one of the known ones is refused', () => {
  expect(readNames('only', 'a,b', ['a', 'b', 'c'])).toEqual(['a', 'b']);
  expect(() => readNames('only', 'a,d', ['a', 'b', 'c'])).toThrow('--only has no d; there are a, b, c.');
});

describe('a script of package.json with a wrong option', () => {
  const scripts: readonly (readonly [script: string, args: readonly string[], line: RegExp])[] = [
    ['test/bench/run.ts', ['--foo'], /^There is no option --foo; there are --only, --json\.\n$/],
    ['test/bench/run.ts', ['--only', 'nothing'], /^--only has no nothing; there are converters, .*\n$/],
    ['test/bench/capacity/print.ts', ['--foo'], /^There is no option --foo; .*\n$/],
    ['test/bench/capacity/print.ts', ['--machines', '-5'], /^--machines must be a number of 1 or more.*\n$/],
    ['test/bench/capacity/print.ts', ['--machines', 'x'], /^--machines must be a number of 1 or more.*\n$/],
    ['test/bench/capacity/run-day.ts', ['--seconds', '5'], /^--seconds must be a number of 60 or more.*\n$/],
    ['test/soak/run.ts', ['--minutes', 'x'], /^--minutes must be a number of 0\.1 or more.*\n$/],
    ['test/fuzz/run.ts', ['--only', 'nothing'], /^--only has no nothing; there are .*\n$/],
    ['test/fuzz/run.ts', ['--seconds', 'x'], /^--seconds must be a number of 1 or more.*\n$/],
    ['test/mutants/run.ts', ['--sample', 'y'], /^--sample must be a number of 1 or more.*\n$/],
  ];

  it.each(scripts)('%s %j prints one line and ends with 2', async (script, args, line) => {
    const argv = [join(projectRoot, script), ...args];
    const ended = await new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
      execFile(process.execPath, argv, { cwd: projectRoot, timeout: 20_000 }, (error, out, err) =>
        resolve({ code: error?.code, out, err }),
      );
    });
    expect(ended).toEqual({ code: 2, out: '', err: expect.stringMatching(line) });
  });
});
