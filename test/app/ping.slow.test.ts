import { expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

it('the ping fails within ten seconds while upstream sends nothing: Docker waits no longer', async () => {
  const upstream = scriptedUpstream((request) => never(request.signal));
  const started = performance.now();
  const response = await testApp({}, upstream.fetch).get('/v2/');
  expect([response.status, response.error().message]).toEqual([504, expect.stringContaining('8 s')]);
  expect(performance.now() - started).toBeLessThan(10_000);
});

function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
