/**
 * Measures the start of the package beside that of the sources, in turns, with the code of an earlier start and without:
 * `npm run bench -- --only start`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryOf } from '../support/bare-workerd.ts';
import { startArguments, startNodeProcess } from '../support/node-process.ts';
import { projectRoot } from '../support/wrangler.ts';
import { cpuTime, median } from './measure.ts';
import { printJson, report } from './report.ts';
import { startBenchUpstream } from './worker-upstream.ts';

const rounds = 9;
/** regshift gives memory back to the system after a quiet second. */
const idleMs = 3_000;
const docker19 = { 'user-agent': 'docker/1.9.1 go/go1.4.3 os/linux arch/amd64' };

interface Start {
  readonly milliseconds: number;
  /** Of all threads, in milliseconds. */
  readonly cpu: number;
  /** In MiB, idle. */
  readonly memory: number;
}

/** Starts the program, and gets a converted manifest from it. @param cache the folder of the compile cache, or none. */
async function start(upstream: string, program: string, cache: string | undefined): Promise<Start> {
  const variables = cache === undefined ? { NODE_DISABLE_COMPILE_CACHE: '1' } : { XDG_CACHE_HOME: cache };
  const began = performance.now();
  const { port, pid, stop } = await startNodeProcess(
    { REGSHIFT_UPSTREAM: upstream, ...variables },
    5,
    undefined,
    startArguments(program),
  );
  const answer = await fetch(`http://127.0.0.1:${port}/v2/image/manifests/v0`, { headers: docker19 });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${program} answers ${answer.status}`);
  const milliseconds = performance.now() - began;
  const cpu = cpuTime(pid);
  await sleep(idleMs);
  const memory = memoryOf(pid);
  await stop();
  return { milliseconds, cpu, memory };
}

execFileSync(process.execPath, ['build/build.ts', '--program'], { cwd: projectRoot });
const upstream = await startBenchUpstream();
const programs = { package: 'dist/package/bin/start.js', sources: 'src/start.js' } as const;
const caches = mkdtempSync(join(tmpdir(), 'regshift-bench-'));

for (const [how, hasCache] of [
  ['with the code that an earlier start compiled', true],
  ['without it, as the first start of a container', false],
] as const) {
  const found: Record<keyof typeof programs, Start[]> = { package: [], sources: [] };
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of ['package', 'sources'] as const) {
      const measured = await start(upstream.url, programs[name], hasCache ? caches : undefined);
      // The first start compiles.
      if (round > 0) found[name].push(measured);
    }
  }
  for (const [key, unit] of [
    ['milliseconds', 'ms'],
    ['cpu', 'ms of CPU'],
    ['memory', 'MiB idle'],
  ] as const) {
    const [own, other] = [found.package, found.sources].map((each) => median(each.map((one) => one[key])));
    const [packaged, sources] = [own ?? 0, other ?? 0];
    report({
      work: `start of the package to its first converted manifest ${how}, in ${unit}`,
      regshift: `${Math.round(packaged)} ${unit}`,
      against: `the sources: ${Math.round(sources)} ${unit}`,
      figure: packaged / sources,
      // Other programs of the machine take part of the time.
      ...(key === 'milliseconds' ? {} : { bound: 1 }),
      is: 'most',
    });
  }
}

upstream.stop();
rmSync(caches, { recursive: true, force: true });
printJson();
