import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream } from '../support/scripted-upstream.ts';

const repository = '/v2/sample/index/manifests';
const docker113 = manifestRequestHeaders['Docker 1.13.1'];

/** Another index over the same images, as the next build of them makes one. */
async function rebuiltIndex(): Promise<Uint8Array<ArrayBuffer>> {
  const stored = await testApp().get(`${repository}/latest`, [['Accept', '*/*']]);
  return new TextEncoder().encode(`${stored.text()}\n`);
}

function serving(body: Uint8Array<ArrayBuffer>): Script {
  const digest = digestOf(body);
  const paths = [`${repository}/rebuilt`, `${repository}/${digest}`];
  return (_request, url) =>
    paths.includes(url.pathname)
      ? new Response(body, {
          headers: { 'Content-Type': mediaTypes.ociIndex, 'Docker-Content-Digest': digest },
        })
      : undefined;
}

async function childOf(app: ReturnType<typeof testApp>, tag: string): Promise<string> {
  const list = JSON.parse((await app.get(`${repository}/${tag}`, docker113)).text());
  return list.manifests[0].digest;
}

describe('an image that two indexes name', () => {
  it('is found by its digest when the index that named it last is deleted', async () => {
    const upstream = scriptedUpstream(serving(await rebuiltIndex()));
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    const child = await childOf(app, 'latest');
    expect(await childOf(app, 'rebuilt')).toBe(child);
    upstream.follow();
    const answer = await app.get(`${repository}/${child}`, docker113);
    expect(answer.status).toBe(200);
    expect(answer.header('Docker-Content-Digest')).toBe(child);
  });
});

describe('a digest that nobody gave out', () => {
  const madeUp = `sha256:${'0'.repeat(64)}`;

  it('is not worth reading a layer for where pulls are counted', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_WALK_GETS: '0' }, upstream.fetch);
    await app.get('/v2/sample/oci-zstd/manifests/latest', [['Accept', '*/*']]);
    const docker2010 = manifestRequestHeaders['Docker 20.10'];
    const answer = await app.get(`/v2/sample/oci-zstd/manifests/${madeUp}`, docker2010);
    expect([answer.status, answer.error().code]).toEqual([404, 'MANIFEST_UNKNOWN']);
    // One for the blob of that digest, and one for the config.
    const blobs = upstream.asked.filter((each) => each.startsWith('GET') && each.includes('/blobs/'));
    expect(blobs.length).toBeLessThanOrEqual(2);
  });

  it('is looked for once, however many ask at the same time', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => app.get(`/v2/sample/oci/manifests/${madeUp}`, docker113)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 404));
    expect(upstream.asked.filter((each) => each.includes('/tags/list'))).toHaveLength(1);
  });
});
