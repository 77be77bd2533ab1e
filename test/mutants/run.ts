import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import config from '../../stryker.config.mjs';
import { Random } from '../fuzz/random.ts';
import { orEnd, readNumber, readOptions } from '../support/options.ts';
import { mutableLines, sampleLines } from './sample.ts';

/**
 * Runs Stryker on the sources that `--mutate` names, or on those of `stryker.config.mjs`. With `--sample`, it mutates
 * lines picked at random with at least that many mutants; the same seed picks the same lines of the same sources. `--tests`
 * names the test files to run, and may come several times.
 *
 *     npm run mutants -- --mutate 'converters/json/**' [--sample 50 --seed 1] [--tests 'test/converters/*.test.ts']
 */
const values = orEnd(() => {
  const { sample, seed, ...others } = readOptions({
    mutate: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    tests: { type: 'string', multiple: true },
  });
  const wanted = sample === undefined ? undefined : readNumber('sample', sample, 1);
  return { ...others, sample: wanted, seed: readNumber('seed', seed) };
});
const root = join(import.meta.dirname, '../..');
const patterns = values.mutate?.split(',') ?? config.mutate;

async function sampled(wanted: number): Promise<string[]> {
  const names = globSync(patterns, { cwd: root }).filter((each) => each.endsWith('.ts'));
  const sources = names.sort().map((name) => ({ name, content: readFileSync(join(root, name), 'utf8') }));
  const lines = await mutableLines(sources, config.mutator.excludedMutations);
  const picked = sampleLines(lines, wanted, new Random(values.seed));
  const count = (some: typeof lines) => some.reduce((sum, { mutants }) => sum + mutants, 0);
  console.log(
    `seed ${values.seed}: ${picked.length} of ${lines.length} lines, ${count(picked)} of ${count(lines)} mutants`,
  );
  return picked.map(({ file, line }) => `${file}:${line}-${line}`);
}

const mutate = values.sample === undefined ? patterns : await sampled(values.sample);
const stryker = join(root, 'node_modules/.bin/stryker');
// Stryker 10 has `--testFiles`, with which it does not apply a mutant before a module is loaded: all mutants of constants
// survive (core, src/mutants/mutant-test-planner.ts, `createMutantRunPlan`).
const tests = values.tests === undefined ? {} : { MUTANT_TESTS: JSON.stringify(values.tests) };
const { status } = spawnSync(stryker, ['run', '--mutate', mutate.join(',')], {
  cwd: root,
  env: { ...process.env, ...tests },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
