import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const latest = '/v2/sample/oci/manifests/latest';

describe.each(['Docker 1.13.1', 'skopeo'] as const)('a document that is no manifest, for %s,', (client) => {
  it.each([
    ['JSON of a gateway', () => Response.json({ status: 'maintenance' })],
    ['text', () => new Response('back soon', { headers: { 'Content-Type': 'text/plain' } })],
    ['nothing', () => new Response(null)],
  ])('is an error of the registry, and forgotten at once: %s', async (_, document) => {
    const upstream = scriptedUpstream(document);
    const app = testApp({}, upstream.fetch);
    const during = await app.get(latest, manifestRequestHeaders[client]);
    expect([during.status, during.error().message]).toEqual([
      502,
      expect.stringMatching(/which is no manifest, as the manifest latest of sample\/oci/),
    ]);
    upstream.follow();
    expect((await app.get(latest, manifestRequestHeaders[client])).status).toBe(200);
  });
});
