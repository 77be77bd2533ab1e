/**
 * What the program costs on this machine: `npm run bench`, with `--only worker,layers` for some of it, and `--json` for
 * programs. Each section is a process of its own, so that none pays for the memory or the heat of another.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** To add one: a file here, which prints to its output, and JSON where the variable BENCH_JSON is set, if it can. */
const sections: Readonly<Record<string, string>> = {
  converters: 'converters.ts',
  manifests: 'manifests.ts',
  blobs: 'blobs.ts',
  cold: 'cold.ts',
  worker: 'worker.ts',
  layers: 'layers.ts',
};

const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'boolean' } } });
const names = values.only?.split(',') ?? Object.keys(sections);
const unknown = names.filter((name) => !Object.hasOwn(sections, name));
if (unknown.length > 0) {
  console.error(`There is no section ${unknown.join(', ')}; there are ${Object.keys(sections).join(', ')}.`);
  process.exit(2);
}

const results: Record<string, unknown> = {};
for (const name of names) {
  if (!values.json) console.log(`\n${name}`);
  const { status, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, sections[name] ?? '')], {
    encoding: 'utf8',
    env: { ...process.env, ...(values.json ? { BENCH_JSON: '1' } : {}) },
    stdio: ['ignore', values.json ? 'pipe' : 'inherit', 'inherit'],
  });
  if (values.json) results[name] = parsed(stdout);
  // A section ends with another status where something is slower than it may be.
  if (status !== 0) process.exitCode = 1;
}
if (values.json) console.log(JSON.stringify(results, null, 2));

/** The lines of a section that knows no JSON are better than nothing. */
function parsed(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return output.trim().split('\n');
  }
}
