import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker20 = manifestRequestHeaders['Docker 20.10'];
const latest = '/v2/sample/schema2/manifests/latest';

describe('a registry with a harmless oddity', () => {
  it('sends no digest: it is computed from the body', async () => {
    const upstream = scriptedUpstream(async (request, url) => {
      const good = await scriptedUpstream().fetch(url.href, { method: request.method });
      const headers = new Headers(good.headers);
      headers.delete('Docker-Content-Digest');
      return new Response(request.method === 'HEAD' ? null : await good.arrayBuffer(), { headers });
    });
    const response = await testApp({}, upstream.fetch).get(latest, docker20);
    expect(response.status).toBe(200);
  });

  it('does not support HEAD: GET replaces it', async () => {
    const upstream = scriptedUpstream((request) =>
      request.method === 'HEAD' ? specError(405, 'UNSUPPORTED') : undefined,
    );
    expect((await testApp({}, upstream.fetch).get(latest, docker19)).status).toBe(200);
  });

  it('sends a wrong Content-Type: the body decides', async () => {
    const upstream = scriptedUpstream(async (request, url) => {
      if (!url.pathname.includes('/manifests/')) return undefined;
      const good = await scriptedUpstream().fetch(url.href, { method: request.method });
      const headers = new Headers(good.headers);
      headers.set('Content-Type', 'application/json');
      return new Response(request.method === 'HEAD' ? null : await good.arrayBuffer(), { headers });
    });
    const app = testApp({}, upstream.fetch);
    const list = await app.get('/v2/sample/list/manifests/latest', docker20);
    expect(list.header('Content-Type')).toBe(mediaTypes.dockerList);
    expect((await app.get(latest, docker20)).header('Content-Type')).toBe(mediaTypes.schema2);
  });
});
