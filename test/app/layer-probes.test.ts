import { expect, it, vi } from 'vitest';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { testApp } from '../support/app.ts';
import { createGate } from '../support/gate.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';

const path = '/v2/sample/generic/manifests/latest';

it('a client that disconnects does not end the probe of a layer for another client', async () => {
  const samples = createSampleRegistry();
  const gate = createGate();
  const upstream = scriptedUpstream(async ({ method, headers }, { href }) => {
    if (headers.has('range')) await gate.pass();
    return samples.fetch(href, { method, headers });
  });
  const app = testApp({}, upstream.fetch);
  const leave = new AbortController();
  const docker19 = manifestRequestHeaders['Docker 1.9.1'];
  const left = app.send('GET', path, docker19, { signal: leave.signal }).catch(() => undefined);
  await vi.waitFor(() => expect(gate.waiting).toBeGreaterThan(0));
  const other = app.get(path, manifestRequestHeaders['Docker 1.13.1']);
  await settled();
  leave.abort();
  await left;
  await settled();
  gate.open();
  expect((await other).status).toBe(200);
});
