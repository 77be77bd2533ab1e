import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../support/wrangler.ts';

/** A process that makes buffers of 512 MiB in all, and prints how many collections of all objects and of young ones it made. */
const program = (use: string) => `
  import { constants, PerformanceObserver } from 'node:perf_hooks';
  const { countBuffer } = await import(${JSON.stringify(join(projectRoot, 'src/runtime/node/garbage.ts'))});
  let [all, young] = [0, 0];
  new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries()) {
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) all += 1;
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) young += 1;
    }
  }).observe({ entryTypes: ['gc'] });
  const waiting = [];
  for (let made = 0; made < 1_024; made += 1) {
    const buffer = Buffer.allocUnsafeSlow(524_288);
    ${use}
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  console.log(JSON.stringify([all, young]));`;

function collectionsWith(use: string): [all: number, young: number] {
  const flags = ['--max-semi-space-size=4', '--input-type=module'];
  return JSON.parse(execFileSync(process.execPath, [...flags, '-e', program(use)], { encoding: 'utf8' }));
}

it('collects the buffers of a stream, so that V8 does not mark the whole heap for them', () => {
  const [all, young] = collectionsWith('countBuffer(buffer.length)');
  expect(all).toBeLessThan(3);
  expect(young).toBeGreaterThan(60);
  expect(collectionsWith('')[0]).toBeGreaterThan(3);
});

it('collects rarely where the buffers wait for slow clients', () => {
  const waits = 'waiting.push(buffer); if (waiting.length > 128) waiting.shift();';
  const [, young] = collectionsWith(`countBuffer(buffer.length); ${waits}`);
  const [, withoutYoung] = collectionsWith(waits);
  expect(young - withoutYoung).toBeLessThan(40);
});
