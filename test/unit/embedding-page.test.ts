import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createApp } from '../../src/runtime/web/index.ts';
import { root } from '../support/house/sources.ts';

const page = readFileSync(join(root, 'docs/embedding.md'), 'utf8');
const folder = join(root, 'examples/embedded');
const examples = readdirSync(folder)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(join(folder, file), 'utf8'));
const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
const [settings = '', ...ofExamples] = [
  ...blocks.filter((block) => block.startsWith('createApp(')),
  ...blocks.filter((block) => !block.startsWith('createApp(')),
];

test('the code of docs/embedding.md is that of the examples, which tests run', () => {
  expect(ofExamples).toHaveLength(4);
  for (const block of ofExamples) expect(examples.some((example) => example.includes(block))).toBe(true);
});

test('the settings of docs/embedding.md are right', () => {
  const run = new Function('createApp', `return ${settings}`) as (create: typeof createApp) => unknown;
  expect(run(createApp)).toHaveProperty('fetch');
});
