import { expect, it } from 'vitest';
import { numbersHtml } from '../../../../src/http/page/numbers-view.ts';

it.each([
  [0, '0 requests of clients in progress 0 responses being sent 0 layers being read'],
  [1, '1 request of clients in progress 1 response being sent 1 layer being read'],
  [2, '2 requests of clients in progress 2 responses being sent 2 layers being read'],
])('counts in words: %i', async (value, text) => {
  const names = ['requests_under_way', 'streams_under_way', 'layers_reading'];
  const figures = names.map((name) => ({ name: `regshift_${name}`, labels: {}, value }));
  const shown = String(await numbersHtml(figures))
    .replace(/<[^>]*>/g, '')
    .replace(/\s+/g, ' ');
  expect(shown).toContain(text);
});
