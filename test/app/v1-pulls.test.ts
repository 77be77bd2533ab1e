import { describe, expect, it } from 'vitest';
import { sampleImage } from '../../src/sample-registry/image.ts';
import { testApp } from '../support/app.ts';
import { givenForm, sampleNames, unsupported } from '../support/given-forms.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';
import { readSignedSchema1 } from '../support/signed-schema1.ts';
import { type V1DaemonName, v1DaemonNames, v1Daemons } from '../support/v1-daemons.ts';
import { ancestry, decompressedV1, idOfTag, pullV1 } from '../support/v1-pull.ts';
import { v1Session } from '../support/v1-session.ts';

const app = testApp();
const http = app.send;

const images = sampleNames.filter((sample) => givenForm(sample, 'Docker 1.9.1') !== unsupported);
const pulls = v1DaemonNames.flatMap((daemon) => images.map((sample) => ({ daemon, sample })));
const pull = (daemon: V1DaemonName, sample: string) => pullV1({ daemon: v1Daemons[daemon], http }, sample);

describe.each(pulls)('$daemon pulls $sample', ({ daemon, sample }) => {
  it('and gets the files of the image, in layers that it can decompress', async () => {
    const { ids, layers } = await pull(daemon, sample);
    const decompressed = await Promise.all(
      ids.toReversed().map((id) => decompressedV1(layers.get(id) ?? new Uint8Array())),
    );
    const withFiles = decompressed.filter((tar) => tar.some((byte) => byte !== 0));
    expect(withFiles).toEqual(sampleImage(sample).layers.map(({ tar }) => tar));
  });

  it('and gets the ids and the JSON of its schema 1', async () => {
    const { ids, json } = await pull(daemon, sample);
    const manifest = await app.get(`/v2/${sample}/manifests/latest`, manifestRequestHeaders['Docker 1.9.1']);
    const { document, entries } = readSignedSchema1(manifest.body);
    expect(ids).toEqual(entries.map(({ id }) => id));
    expect(ids.map((id) => json.get(id))).toEqual(document.history.map((each) => each.v1Compatibility));
  });

  it('and reports a layer that broke off, in place of joining parts that nothing verifies together', async () => {
    const broken = pullV1({ daemon: v1Daemons[daemon], http, breakAfter: 20 }, sample);
    await expect(broken).rejects.toThrow('unexpected EOF');
  });
});

describe('the headers of a layer and its JSON', () => {
  it.each(images)('%s: have the size of the layer', async (sample) => {
    const { ids, layers, session } = await pull('Docker 1.9.1', sample);
    for (const id of ids) {
      const json = await session.get(`images/${id}/json`);
      const layer = await session.get(`images/${id}/layer`);
      expect(json.header('X-Docker-Size')).toBe(String(layers.get(id)?.length));
      expect(layer.header('Content-Length')).toBe(String(layers.get(id)?.length));
      expect(layer.header('Content-Encoding')).toBeNull();
    }
  });
});

describe('a range of a layer', () => {
  const ranges = ['bytes=7-SIZE', 'bytes=SIZE-SIZE', 'bytes=0-0'];
  const cases = ['sample/oci', 'sample/schema1', 'sample/oci-zstd'].flatMap((sample) =>
    ranges.map((range) => ({ sample, range })),
  );
  it.each(cases)('$range of $sample is the whole layer', async ({ sample, range }) => {
    const asked: (string | null)[] = [];
    const upstream = scriptedUpstream((request, url) => {
      if (request.method === 'GET' && url.pathname.includes('/blobs/'))
        asked.push(request.headers.get('range'));
      return undefined;
    });
    const far = testApp({}, upstream.fetch);
    const { session, ids, layers } = await pullV1(
      { daemon: v1Daemons['Docker 1.9.1'], http: far.send },
      sample,
    );
    const whole = layers.get(ids.at(-1) ?? '') ?? new Uint8Array();
    asked.length = 0;
    const response = await session.get(`images/${ids.at(-1)}/layer`, [
      ['Range', range.replaceAll('SIZE', String(whole.length))],
    ]);
    expect([response.status, response.header('Accept-Ranges')]).toEqual([200, 'none']);
    expect(response.header('Content-Range')).toBeNull();
    expect(response.body).toEqual(whole);
    expect(asked).toEqual([null]);
  });
});

describe('a layer at storage that the registry redirects to', () => {
  const redirecting = (layer: Uint8Array<ArrayBuffer> | undefined) => {
    const samples = scriptedUpstream();
    return scriptedUpstream(async (request, url) => {
      if (url.pathname.startsWith('/storage/')) {
        return new Response(layer ?? (await samples.fetch(url.href.replace('/storage/', '/'), {})).body);
      }
      if (request.method !== 'GET' || !url.pathname.includes('/blobs/')) return undefined;
      const document = await samples.fetch(url.href, {});
      const isSmall = Number(document.headers.get('content-length')) < 1_000;
      if (isSmall) return document;
      const storage = url.href.replace(url.origin, 'https://storage.test').replace('/v2/', '/storage/v2/');
      return Response.redirect(storage, 307);
    });
  };

  it('is read and verified by the proxy, though the setting hands redirects on', async () => {
    const upstream = redirecting(new Uint8Array(2_000));
    const far = testApp({ REGSHIFT_BLOBS: 'redirect' }, upstream.fetch);
    const session = v1Session({ daemon: v1Daemons['Docker 1.9.1'], http: far.send });
    const [id] = await ancestry(session, await idOfTag(session, 'sample/oci', 'latest'));
    const response = await session.get(`images/${id}/layer`);
    expect(response.status).toBe(502);
    expect(upstream.asked.some((each) => each.includes('storage.test'))).toBe(true);
  });
});

describe('the ancestry of an image', () => {
  it('lists it and its parents, for each image of a chain', async () => {
    const { ids, session } = await pull('Docker 1.9.1', 'sample/schema2-empty-layers');
    expect(ids.length).toBeGreaterThan(3);
    for (const [index, id] of ids.entries()) {
      expect(await ancestry(session, id)).toEqual(ids.slice(index));
    }
  });
});

describe('a layer without a length from upstream', () => {
  it('has the length from its manifest', async () => {
    const samples = scriptedUpstream();
    const upstream = scriptedUpstream(async (request, url) => {
      if (request.method !== 'GET' || !url.pathname.includes('/blobs/')) return undefined;
      return new Response((await samples.fetch(url.href, {})).body);
    });
    const far = testApp({}, upstream.fetch);
    const { session, ids, layers } = await pullV1(
      { daemon: v1Daemons['Docker 1.9.1'], http: far.send },
      'sample/oci',
    );
    const response = await session.get(`images/${ids[0]}/layer`);
    expect(response.header('Content-Length')).toBe(String(layers.get(ids[0] ?? '')?.length));
  });
});

describe('an artifact that is no image', () => {
  it.each(v1DaemonNames)('%s shows why it cannot be pulled', async (daemon) => {
    const pulling = pull(daemon, 'sample/helm-chart');
    const old = daemon === 'Docker 1.3.3' || daemon === 'Docker 1.5.0';
    const shown = old
      ? 'HTTP code: 406'
      : 'sample/helm-chart:latest, like its other tags (1), cannot be given';
    await expect(pulling).rejects.toThrow(shown);
  });
});

describe('schema 1 with an invalid signature', () => {
  it('is refused: API v1 clients cannot check it', async () => {
    const samples = scriptedUpstream();
    const upstream = scriptedUpstream(async (request, url) => {
      if (request.method !== 'GET' || !url.pathname.includes('/manifests/')) return undefined;
      const stored = await samples.fetch(url.href, { headers: request.headers });
      const body = new TextDecoder()
        .decode(await stored.arrayBuffer())
        .replace(/("signature": ")(.)/, (_, before, first) => before + (first === 'A' ? 'B' : 'A'));
      return new Response(body, { headers: { 'Content-Type': stored.headers.get('Content-Type') ?? '' } });
    });
    const response = await testApp({}, upstream.fetch).get('/v1/repositories/sample/schema1/images');
    expect([response.status, response.text()]).toEqual([406, expect.stringMatching(/signature/i)]);
  });
});

describe('the requests to upstream', () => {
  it('are none when Docker 1.5 is sent to API v1', async () => {
    const upstream = scriptedUpstream();
    const headers = [['User-Agent', v1Daemons['Docker 1.5.0'].userAgent]] as const;
    const response = await testApp({}, upstream.fetch).get('/v2/sample/oci/manifests/latest', headers);
    expect([response.status, upstream.asked]).toEqual([404, []]);
  });

  it.each([true, false])(
    'are one for each document and layer in a pull of one tag (cookies: %s)',
    async (cookies) => {
      const upstream = scriptedUpstream();
      const far = testApp({}, upstream.fetch);
      await pullV1({ daemon: v1Daemons['Docker 1.9.1'], http: far.send, cookies }, 'sample/oci');
      const asked = upstream.asked.filter((each) => !each.endsWith('/v2/'));
      expect(asked.filter((each) => each.includes('/tags/list'))).toEqual([]);
      expect(asked).toEqual([...new Set(asked)]);
      // The tag, the manifest, the config and two layers.
      expect(asked.length).toBe(5);
    },
  );
});
