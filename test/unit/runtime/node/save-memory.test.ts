import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../support/wrangler.ts';

/** A process that makes garbage and is then quiet. It prints its memory before and after that, in MiB. */
const program = (first: string) => `
  ${first}
  const memory = () => process.memoryUsage.rss() / 2 ** 20;
  let garbage = Array.from({ length: 400_000 }, (_, number) => ({ number, text: String(number) }));
  const before = garbage && memory();
  garbage = undefined;
  setTimeout(() => console.log(JSON.stringify([before, memory()])), 3_500);
`;

function memoryOf(first: string): [before: number, after: number] {
  const flags = ['--max-semi-space-size=4', '--input-type=module'];
  const text = execFileSync(process.execPath, [...flags, '-e', program(first)], { encoding: 'utf8' });
  return JSON.parse(text);
}

it('gives memory back to the system when the process is quiet', { timeout: 30_000 }, () => {
  const file = join(projectRoot, 'src/runtime/node/save-memory.ts');
  const [before, after] = memoryOf(`(await import(${JSON.stringify(file)})).saveMemory();`);
  expect(before - after).toBeGreaterThan(20);
  const [withoutBefore, withoutAfter] = memoryOf('');
  expect(withoutBefore - withoutAfter).toBeLessThan(5);
});

it('holds an entry of process.nextTick, so that a collection leaves the class of such entries', () => {
  const file = join(projectRoot, 'src/runtime/node/save-memory.ts');
  const script = `
    import { executionAsyncResource } from 'node:async_hooks';
    const { holdClassOfTicks } = await import(${JSON.stringify(file)});
    const held = new WeakRef(await holdClassOfTicks());
    await new Promise((resolve) => setTimeout(resolve, 10));
    gc();
    const later = await new Promise((resolve) => process.nextTick(() => resolve(executionAsyncResource())));
    const haveSameClass = new Function('one', 'other', 'return %HaveSameMap(one, other)');
    console.log(JSON.stringify([held.deref() !== undefined, haveSameClass(held.deref() ?? {}, later)]));`;
  const flags = ['--expose-gc', '--allow-natives-syntax', '--input-type=module'];
  const text = execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' });
  expect(JSON.parse(text)).toEqual([true, true]);
});
