/**
 * Measures the program on this machine: `npm run bench`. `--only worker,layers` runs some sections, `--json` prints for
 * programs. Each section is a separate process, so that none pays for the memory or the compiled code of another.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { orEnd, readNames, readOptions } from '../support/options.ts';

/** The files of the sections. A section prints to its output; it may print JSON when the variable BENCH_JSON is set. */
const sections: Readonly<Record<string, string>> = {
  converters: 'converters.ts',
  manifests: 'manifests.ts',
  blobs: 'blobs.ts',
  pushes: 'pushes.ts',
  cold: 'cold.ts',
  start: 'start.ts',
  worker: 'worker.ts',
  layers: 'layers.ts',
  store: 'store.ts',
  fleet: 'fleet.ts',
  capacity: 'capacity.ts',
};

const { names, json } = orEnd(() => {
  const { only, json } = readOptions({ only: { type: 'string' }, json: { type: 'boolean' } });
  const all = Object.keys(sections);
  return { names: only === undefined ? all : readNames('only', only, all), json };
});

const results: Record<string, unknown> = {};
for (const name of names) {
  if (!json) console.log(`\n${name}`);
  const { status, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, sections[name] ?? '')], {
    encoding: 'utf8',
    env: { ...process.env, ...(json ? { BENCH_JSON: '1' } : {}) },
    stdio: ['ignore', json ? 'pipe' : 'inherit', 'inherit'],
  });
  if (json) results[name] = parsed(stdout);
  // A section ends with a status other than 0 when a figure is beyond its bound.
  if (status !== 0) process.exitCode = 1;
}
if (json) console.log(JSON.stringify(results, null, 2));

/** Parses the output of a section; a section that prints no JSON gives its lines. */
function parsed(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return output.trim().split('\n');
  }
}
