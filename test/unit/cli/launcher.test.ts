import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isRunByNpm, ownRegistryAdvice, whenParentEnds } from '../../../src/cli/launcher.ts';

const npmStart = { npm_lifecycle_event: 'start', npm_package_name: 'regshift' };
const npx = (script: string) => ({ npm_lifecycle_event: 'npx', npm_lifecycle_script: script });

test.each([
  ['npm start of a clone', npmStart, true],
  ['npx', npx("'regshift'"), true],
  ['npx of Windows', npx('"regshift"'), true],
  ['npx -c', npx('regshift serve'), true],
  ['npx of another program, which may leave regshift running', npx("'concurrently'"), false],
  ['npx -c with a program of a longer name', npx('regshift-ui serve'), false],
  [
    'a script of another package, which may end with & ',
    { npm_lifecycle_event: 'proxy', npm_lifecycle_script: 'regshift serve &', npm_package_name: 'app' },
    false,
  ],
  ['npm start of another package', { ...npmStart, npm_package_name: 'app' }, false],
  ['no npm', {}, false],
])('%s keeps the process: %j is %s', (_name, env, isKept) => {
  expect(isRunByNpm(env)).toBe(isKept);
});

test.each([
  [npmStart, '/clone/src/start.js', 'REGSHIFT_UPSTREAM=https://registry.example npm start'],
  [npx("'regshift'"), '/app/bin/start.js', 'npx regshift serve --upstream https://registry.example'],
  [{}, '/usr/local/bin/regshift', 'regshift serve --upstream https://registry.example'],
  [{}, '/app/bin/start.js', 'set REGSHIFT_UPSTREAM=https://registry.example'],
])('the advice after %j and %s is %s', (env, program, advice) => {
  expect(ownRegistryAdvice(env, program)).toBe(advice);
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('the end of the parent is noticed once, within a second', () => {
  let parent = 100;
  let ends = 0;
  whenParentEnds(
    () => {
      ends += 1;
    },
    () => parent,
  );
  vi.advanceTimersByTime(10_000);
  expect(ends).toBe(0);
  parent = 1;
  vi.advanceTimersByTime(1_000);
  expect(ends).toBe(1);
  parent = 2;
  vi.advanceTimersByTime(10_000);
  expect(ends).toBe(1);
});
