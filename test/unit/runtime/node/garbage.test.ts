import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../support/wrangler.ts';

/** A process that makes buffers of 512 MiB in all, and prints how many times V8 marked the whole heap for them. */
const program = (use: string) => `
  import { constants, PerformanceObserver } from 'node:perf_hooks';
  const { countBuffer } = await import(${JSON.stringify(join(projectRoot, 'src/runtime/node/garbage.ts'))});
  let marked = 0;
  new PerformanceObserver((list) => {
    marked += list.getEntries().filter(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length;
  }).observe({ entryTypes: ['gc'] });
  for (let made = 0; made < 4_096; made += 1) {
    const buffer = Buffer.allocUnsafeSlow(131_072);
    ${use}
    await new Promise(setImmediate);
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  console.log(marked);`;

function collectionsWith(use: string): number {
  const flags = ['--max-semi-space-size=4', '--input-type=module'];
  return Number(execFileSync(process.execPath, [...flags, '-e', program(use)], { encoding: 'utf8' }));
}

it('collects the buffers of a stream, so that V8 does not mark the whole heap for them', () => {
  expect(collectionsWith('countBuffer(buffer.length)')).toBeLessThan(3);
  expect(collectionsWith('')).toBeGreaterThan(3);
});
