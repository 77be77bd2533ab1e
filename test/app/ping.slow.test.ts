import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

it('the ping of a slow registry waits for it as long as clients do without the proxy', async () => {
  const upstream = scriptedUpstream(async () => {
    await sleep(9_000);
    return Response.json({});
  });
  const response = await testApp({}, upstream.fetch).get('/v2/');
  expect(response.status).toBe(200);
});

it('an earlier response stands in within ten seconds while upstream sends nothing: Docker waits 15 s', async () => {
  let isSilent = false;
  const upstream = scriptedUpstream((request) => (isSilent ? never(request.signal) : undefined));
  const app = testApp({}, upstream.fetch);
  expect((await app.get('/v2/')).status).toBe(200);
  isSilent = true;
  const started = performance.now();
  expect((await app.get('/v2/')).status).toBe(200);
  expect(performance.now() - started).toBeLessThan(10_000);
});

it('the ping fails after REGSHIFT_UPSTREAM_TIMEOUT', async () => {
  const upstream = scriptedUpstream((request) => never(request.signal));
  const response = await testApp({ REGSHIFT_UPSTREAM_TIMEOUT: '1' }, upstream.fetch).get('/v2/');
  expect([response.status, response.error().message]).toEqual([504, expect.stringContaining('within 1 s')]);
});

function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
