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
