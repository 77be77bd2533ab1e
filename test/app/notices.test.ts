import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const passing = {
  'OCI-Tag': 'latest',
  'OCI-Made-Up': '1',
  'RateLimit-Limit': '100;w=21600',
  'RateLimit-Reset': '60',
  'X-RateLimit-Remaining': '3',
  'Retry-After': '7',
  Warning: '299 - "deprecated"',
  'X-Content-Type-Options': 'nosniff',
};
const staying = {
  'Set-Cookie': 'a=b',
  'Alt-Svc': 'h3=":443"',
  'Strict-Transport-Security': 'max-age=1',
  'Clear-Site-Data': '"*"',
  'Docker-RateLimit-Source': '192.0.2.1',
};
const digest = `sha256:${'1'.repeat(64)}`;
const blob = `/v2/sample/oci/blobs/${digest}`;

describe("the registry's notices", () => {
  it.each<[string, string, number]>([
    ['a blob', blob, 200],
    ['the redirect of a blob', blob, 307],
    ['the refusal of a blob', blob, 404],
    ['the limit of a manifest', '/v2/sample/oci/manifests/latest', 429],
    ['referrers', `/v2/sample/oci/referrers/${digest}`, 200],
    ['the limit of an upload', '/v2/sample/oci/blobs/uploads/', 429],
  ])('pass with %s', async (_, path, status) => {
    const headers = { ...passing, ...staying, ...(status === 307 ? { Location: 'https://cdn.test/' } : {}) };
    const upstream = scriptedUpstream(() => new Response(null, { status, headers }));
    const app = testApp({ REGSHIFT_PUSH: 'allow', REGSHIFT_BLOBS: 'redirect' }, upstream.fetch);
    const response = await app.send(path.endsWith('/uploads/') ? 'POST' : 'GET', path);
    expect(response.status).toBe(status);
    const found = Object.keys({ ...passing, ...staying }).map((name) => [name, response.header(name)]);
    const unsent = Object.keys(staying).map((name) => [name, null]);
    expect(found).toEqual([...Object.entries(passing), ...unsent]);
  });

  it('pass with the words of Docker Hub', async () => {
    const words = 'You have reached your pull rate limit. You may increase the limit by authenticating.';
    const upstream = scriptedUpstream(({ method }) =>
      method === 'GET'
        ? specError(429, 'TOOMANYREQUESTS', { 'Content-Type': 'text/plain', 'Retry-After': '7' }, words)
        : undefined,
    );
    const response = await testApp({}, upstream.fetch).get('/v2/sample/oci/manifests/latest');
    expect([response.status, response.header('Retry-After')]).toEqual([429, '7']);
    expect(response.error().message).toContain(words.slice(0, -1));
  });
});
