import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { indexOver } from '../support/index-over.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/team/sparse/manifests/latest';

async function sparse() {
  const index = await indexOver('team/sparse', ['sample/oci', 'sample/oci-no-history'], mediaTypes.ociIndex);
  const upstream = scriptedUpstream(index.script);
  return { ...index, upstream, app: testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch) };
}

async function architectures(app: TestApp): Promise<readonly string[]> {
  const response = await app.get(latest, docker113);
  expect(response.status).toBe(200);
  const list = JSON.parse(response.text()) as { manifests: { platform: { architecture: string } }[] };
  return list.manifests.map(({ platform }) => platform.architecture);
}

/** Some mirrors copy one platform alone, and clean-ups delete images by age: the index stays as it was. */
describe('an index with an image that upstream does not have', () => {
  it.each([
    ['one manifest', 1],
    ['both manifests but one', 0],
  ])('is served with the images that upstream has: %s is missing', async (_, gone) => {
    const { app, children, missing } = await sparse();
    missing.add(children[gone] ?? '');
    expect(await architectures(app)).toEqual([['amd64', 'arm64'][1 - gone]]);
  });

  it('names the omitted image in a header', async () => {
    const { app, children, missing } = await sparse();
    missing.add(children[1] ?? '');
    const response = await app.get(latest, docker113);
    expect(response.header('Regshift-Conversion')).toContain('lost="$.manifests[1]"');
  });

  it('is complete as soon as upstream has the image: the incomplete list is not cached', async () => {
    const { app, children, missing } = await sparse();
    missing.add(children[1] ?? '');
    expect(await architectures(app)).toEqual(['amd64']);
    missing.clear();
    expect(await architectures(app)).toEqual(['amd64', 'arm64']);
  });

  it('is available by its converted digest, as long as the image stays missing', async () => {
    const { app, children, missing } = await sparse();
    missing.add(children[1] ?? '');
    const digest = (await app.head(latest, docker113)).header('Docker-Content-Digest');
    const response = await app.get(`/v2/team/sparse/manifests/${digest}`, docker113);
    expect([response.status, response.header('Docker-Content-Digest')]).toEqual([200, digest]);
  });

  it('is 404 for a client that needs the missing image', async () => {
    const { app, children, missing } = await sparse();
    missing.add(children[0] ?? '');
    const response = await app.get(latest, docker19);
    expect([response.status, response.error().code]).toEqual([404, 'UNSUPPORTED']);
    expect(response.error().message).toContain(children[0]);
  });
});
