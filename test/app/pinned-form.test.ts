import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';
import { readSignedSchema1 } from '../support/signed-schema1.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex, generic } = mediaTypes;
const notAnImage = 'UNSUPPORTED';

const apps: Readonly<Record<string, TestApp>> = Object.fromEntries(
  ['schema1', 'schema2', 'oci', 'generic'].map((pin) => [pin, testApp({ REGSHIFT_FORMAT: pin })]),
);

const clients = {
  'no Accept': [],
  'Docker 1.13.1': manifestRequestHeaders['Docker 1.13.1'],
  'Docker 20.10': manifestRequestHeaders['Docker 20.10'],
  'Accept */*': [['Accept', '*/*']],
} as const;

type Row = readonly [pin: string, sample: string, ...given: string[]];

/** The columns are the clients above. Only the form of an index depends on the client. */
const rows: readonly Row[] = [
  ['schema1', 'sample/generic', schema1Signed, schema1Signed, schema1Signed, schema1Signed],
  ['schema1', 'sample/schema1', schema1Signed, schema1Signed, schema1Signed, schema1Signed],
  ['schema1', 'sample/schema2', schema1Signed, schema1Signed, schema1Signed, schema1Signed],
  ['schema1', 'sample/oci', schema1Signed, schema1Signed, schema1Signed, schema1Signed],
  ['schema1', 'sample/list', schema1Signed, schema1Signed, schema1Signed, schema1Signed],
  ['schema1', 'sample/index', schema1Signed, schema1Signed, schema1Signed, schema1Signed],
  ['schema1', 'sample/fat-generic', schema1Signed, schema1Signed, schema1Signed, schema1Signed],
  ['schema1', 'sample/helm-chart', notAnImage, notAnImage, ociManifest, ociManifest],
  ['schema2', 'sample/generic', schema2, schema2, schema2, schema2],
  ['schema2', 'sample/schema1', schema2, schema2, schema2, schema2],
  ['schema2', 'sample/schema2', schema2, schema2, schema2, schema2],
  ['schema2', 'sample/oci', schema2, schema2, schema2, schema2],
  ['schema2', 'sample/list', schema2, dockerList, dockerList, dockerList],
  ['schema2', 'sample/index', schema2, dockerList, dockerList, dockerList],
  ['schema2', 'sample/fat-generic', schema2, dockerList, dockerList, dockerList],
  ['schema2', 'sample/fat-generic-table', schema2, dockerList, dockerList, dockerList],
  ['schema2', 'sample/helm-chart', notAnImage, notAnImage, ociManifest, ociManifest],
  ['oci', 'sample/generic', ociManifest, ociManifest, ociManifest, ociManifest],
  ['oci', 'sample/schema1', ociManifest, ociManifest, ociManifest, ociManifest],
  ['oci', 'sample/schema2', ociManifest, ociManifest, ociManifest, ociManifest],
  ['oci', 'sample/oci', ociManifest, ociManifest, ociManifest, ociManifest],
  ['oci', 'sample/list', ociManifest, ociManifest, ociIndex, ociIndex],
  ['oci', 'sample/index', ociManifest, ociManifest, ociIndex, ociIndex],
  ['oci', 'sample/fat-generic', ociManifest, ociManifest, ociIndex, ociIndex],
  ['oci', 'sample/helm-chart', ociManifest, ociManifest, ociManifest, ociManifest],
  ['generic', 'sample/generic', generic, generic, generic, generic],
  ['generic', 'sample/fat-generic', generic, generic, generic, generic],
  ['generic', 'sample/schema1', generic, generic, generic, generic],
  ['generic', 'sample/schema2', generic, generic, generic, generic],
  ['generic', 'sample/oci', generic, generic, generic, generic],
  ['generic', 'sample/list', generic, generic, generic, generic],
  ['generic', 'sample/index', generic, generic, generic, generic],
  ['generic', 'sample/helm-chart', notAnImage, notAnImage, ociManifest, ociManifest],
];

const cases = rows.flatMap(([pin, sample, ...form]) =>
  Object.entries(clients).map(([client, headers], column) => ({
    pin,
    sample,
    client,
    headers,
    form: form[column],
  })),
);

/** The list of the referrers of an image, under the tag of its digest. */
const referrers = JSON.stringify({
  schemaVersion: 2,
  mediaType: ociIndex,
  manifests: [
    {
      mediaType: ociManifest,
      digest: digestOf(new Uint8Array()),
      size: 2,
      artifactType: 'application/spdx+json',
    },
  ],
});

describe('a list of referrers, which has no other form', () => {
  const bytes = new TextEncoder().encode(referrers);
  const upstream = scriptedUpstream(() => new Response(bytes, { headers: { 'Content-Type': ociIndex } }));
  const tag = `/v2/team/app/manifests/sha256-${'a'.repeat(64)}`;

  it.each(['schema1', 'schema2', 'oci', 'generic'])('passes a route that is pinned to %s', async (pin) => {
    const app = testApp({ REGSHIFT_FORMAT: pin }, upstream.fetch);
    const response = await app.get(tag, manifestRequestHeaders['Docker 20.10']);
    expect(response.status).toBe(200);
    expect(response.text()).toBe(referrers);
    const refused = await app.get(tag, manifestRequestHeaders['Docker 1.13.1']);
    expect(refused.error().code).toBe('UNSUPPORTED');
  });
});

describe('a route that is pinned to a form sends it to every client', () => {
  it.each(cases)('$pin: $sample → $client: $form', async ({ pin, sample, headers, form }) => {
    const response = await apps[pin]?.get(`/v2/${sample}/manifests/latest`, headers);
    expect(response?.status === 200 ? response.header('Content-Type') : response?.error().code).toBe(form);
  });

  it.each(cases.filter(({ form }) => form?.includes('/')))(
    '$pin: the manifest that $client gets for $sample is available by its digest',
    async ({ pin, sample, headers }) => {
      const byTag = await apps[pin]?.get(`/v2/${sample}/manifests/latest`, headers);
      const digest = byTag?.header('Docker-Content-Digest');
      const byDigest = await apps[pin]?.get(`/v2/${sample}/manifests/${digest}`, [['Accept', '*/*']]);
      expect(byDigest?.header('Docker-Content-Digest')).toBe(digest);
      expect(byDigest?.body).toEqual(byTag?.body);
    },
  );

  it('signs converted manifests, for new clients too', async () => {
    const response = await apps.schema1?.get(
      '/v2/sample/index/manifests/latest',
      manifestRequestHeaders['Docker 20.10'],
    );
    expect(await readSignedSchema1(response?.body ?? new Uint8Array()).verify()).toBe(true);
  });

  it('converts the children of a list or index to the pinned family', async () => {
    const response = await apps.oci?.get('/v2/sample/list/manifests/latest', [['Accept', '*/*']]);
    const { manifests } = JSON.parse(response?.text() ?? '') as { manifests: { mediaType: string }[] };
    expect(manifests.map(({ mediaType }) => mediaType)).toEqual([ociManifest, ociManifest, ociManifest]);
  });
});

describe('the generic form', () => {
  it('is sent to a client that accepts it, on a route that is not pinned', async () => {
    const app = testApp();
    for (const sample of ['sample/generic', 'sample/fat-generic-table']) {
      const response = await app.get(`/v2/${sample}/manifests/latest`, { Accept: generic });
      expect(response.header('Content-Type')).toBe(generic);
      expect(response.header('Regshift-Conversion')).toBeNull();
    }
  });

  it('is sent unchanged for a lone wildcard', async () => {
    const response = await testApp().get('/v2/sample/generic/manifests/latest', { Accept: '*/*' });
    expect(response.header('Content-Type')).toBe(generic);
    expect(response.header('Docker-Content-Digest')).toBe(response.header('Regshift-Source-Digest'));
  });
});
