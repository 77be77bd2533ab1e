import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp, upstreamUrl } from '../support/app.ts';
import { indexOver } from '../support/index-over.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const path = '/v2/sample/schema1-unsigned/manifests/latest';

describe('stored schema 1 without a signature', () => {
  it('is signed when it is served, and a header says that it was unsigned', async () => {
    const response = await testApp().get(path);
    expect(response.status).toBe(200);
    expect(response.header('Regshift-Conversion')).toBe('schema1 -> schema1; unsigned');
  });

  it('is refused with REGSHIFT_UNSIGNED_SCHEMA1=refuse, and the message names the setting', async () => {
    const response = await testApp({ REGSHIFT_UNSIGNED_SCHEMA1: 'refuse' }).get(path);
    expect([response.status, response.error().code]).toEqual([404, 'UNSUPPORTED']);
    expect(response.error().message).toContain('REGSHIFT_UNSIGNED_SCHEMA1');
  });

  it.each([
    ['as it is stored', { Accept: '*/*' }],
    ['as schema 2', { Accept: mediaTypes.schema2, 'User-Agent': 'containerd/2.1.0' }],
  ])('is refused %s', async (_, headers) => {
    const app = testApp({ REGSHIFT_UNSIGNED_SCHEMA1: 'refuse' });
    const response = await app.get('/v2/sample/schema1-unsigned/manifests/latest', headers);
    expect([response.status, response.error().code]).toEqual([404, 'UNSUPPORTED']);
  });

  it('is refused to Docker 1.3, which uses API v1', async () => {
    const app = testApp({ REGSHIFT_UNSIGNED_SCHEMA1: 'refuse' });
    const response = await app.get('/v1/repositories/sample/schema1-unsigned/tags');
    expect([response.status, response.text()]).toEqual([
      406,
      expect.stringContaining('REGSHIFT_UNSIGNED_SCHEMA1'),
    ]);
    const signed = await app.get('/v1/repositories/sample/schema1/tags');
    expect(signed.text()).toMatch(/[0-9a-f]{64}/);
  });

  it('is omitted from an index', async () => {
    const upstream = scriptedUpstream(
      (await indexOver('team/mixed', ['sample/schema1-unsigned', 'sample/schema2'])).script,
    );
    const list = async (variables: Record<string, string>) => {
      const headers = { Accept: `${mediaTypes.dockerList}, ${mediaTypes.schema2}` };
      const response = await testApp(variables, upstream.fetch).get(
        '/v2/team/mixed/manifests/latest',
        headers,
      );
      return (JSON.parse(response.text()) as { manifests: unknown[] }).manifests.length;
    };
    expect(await list({})).toBe(2);
    expect(await list({ REGSHIFT_UNSIGNED_SCHEMA1: 'refuse' })).toBe(1);
  });

  it('is refused, too, where another route to the registry has converted it', async () => {
    const headers = { Accept: `${mediaTypes.dockerList}, ${mediaTypes.schema2}` };
    const parts = ['sample/schema1-unsigned', 'sample/schema2'];
    const upstream = scriptedUpstream((await indexOver('team/mixed', parts)).script);
    const routes = [{ match: { path: 'all' } }, { match: { path: 'signed' }, unsignedSchema1: 'refuse' }];
    const config = { upstream: upstreamUrl, upstreamAuth: 'anonymous', routes };
    const app = testApp({ REGSHIFT_CONFIG: JSON.stringify(config) }, upstream.fetch);
    const image = await app.get('/v2/all/sample/schema1-unsigned/manifests/latest', headers);
    const digest = image.header('docker-content-digest');
    const refused = await app.get(`/v2/signed/sample/schema1-unsigned/manifests/${digest}`, headers);
    expect([image.status, refused.status]).toEqual([200, 404]);
    const lengths: number[] = [];
    for (const route of ['all', 'signed', 'all']) {
      const list = await app.get(`/v2/${route}/team/mixed/manifests/latest`, headers);
      lengths.push((JSON.parse(list.text()) as { manifests: unknown[] }).manifests.length);
    }
    expect(lengths).toEqual([2, 1, 2]);
  });

  it('is served when it is signed', async () => {
    const app = testApp({ REGSHIFT_UNSIGNED_SCHEMA1: 'refuse' });
    expect((await app.get('/v2/sample/schema1/manifests/latest')).status).toBe(200);
  });
});
