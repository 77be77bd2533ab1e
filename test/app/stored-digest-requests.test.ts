import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { digestThatClientsCompute } from '../support/pull.ts';

const { schema1Signed, schema2, dockerList } = mediaTypes;
const samples = createSampleRegistry();

async function storedDigest(sample: string): Promise<string> {
  const response = await samples.fetch(`http://sample.test/v2/${sample}/manifests/latest`);
  return response.headers.get('Docker-Content-Digest') ?? '';
}

interface Case {
  readonly sample: string;
  readonly client: OldClient;
  /** The stored form, as the message names it. */
  readonly stored: string;
  readonly equivalent: string;
}

const unread: readonly Case[] = [
  { sample: 'sample/oci', client: 'Docker 1.9.1', stored: 'an OCI manifest', equivalent: schema1Signed },
  { sample: 'sample/oci', client: 'Docker 1.13.1', stored: 'an OCI manifest', equivalent: schema2 },
  { sample: 'sample/oci', client: 'Docker 19.03.3', stored: 'an OCI manifest', equivalent: schema2 },
  {
    sample: 'sample/schema2',
    client: 'Docker 1.9.1',
    stored: 'a Docker schema 2 manifest',
    equivalent: schema1Signed,
  },
  {
    sample: 'sample/list',
    client: 'Docker 1.9.1',
    stored: 'a Docker manifest list',
    equivalent: schema1Signed,
  },
  { sample: 'sample/index', client: 'Docker 1.9.1', stored: 'an OCI index', equivalent: schema1Signed },
  { sample: 'sample/index', client: 'Docker 1.13.1', stored: 'an OCI index', equivalent: dockerList },
  {
    sample: 'sample/generic',
    client: 'Docker 1.9.1',
    stored: 'a generic manifest',
    equivalent: schema1Signed,
  },
  { sample: 'sample/generic', client: 'Docker 20.10', stored: 'a generic manifest', equivalent: schema2 },
  { sample: 'sample/fat-generic', client: 'skopeo', stored: 'a generic manifest', equivalent: dockerList },
];

describe('the stored digest of a form that the client does not read', () => {
  it.each(unread)(
    '$sample → $client: 404 UNSUPPORTED that names the equivalent, which can be pulled',
    async ({ sample, client, stored, equivalent }) => {
      const app = testApp();
      const headers = manifestRequestHeaders[client];
      const digest = await storedDigest(sample);
      const response = await app.get(`/v2/${sample}/manifests/${digest}`, headers);
      expect(response.status).toBe(404);
      const { code, message, detail } = response.error();
      expect(code).toBe('UNSUPPORTED');
      expect(message).toContain(`${digest} is ${stored}`);
      const named = /Pull (\S+)@(sha256:[0-9a-f]{64}) instead/.exec(message);
      expect(named?.[1]).toBe(sample);
      expect(detail?.equivalent).toBe(named?.[2]);

      const other = await app.get(`/v2/${sample}/manifests/${named?.[2]}`, headers);
      expect(other.status).toBe(200);
      expect(other.header('Content-Type')).toBe(equivalent);
      expect(other.header('Docker-Content-Digest')).toBe(named?.[2]);
      expect(await digestThatClientsCompute(other)).toBe(named?.[2]);
    },
  );

  it('is 404 by HEAD, without a body', async () => {
    const digest = await storedDigest('sample/oci');
    const headers = manifestRequestHeaders['Docker 1.9.1'];
    const response = await testApp().head(`/v2/sample/oci/manifests/${digest}`, headers);
    expect(response.status).toBe(404);
    expect(response.body).toHaveLength(0);
  });

  it('is 200 with the stored bytes for a client that reads them', async () => {
    const digest = await storedDigest('sample/oci');
    const headers = manifestRequestHeaders['Docker 20.10'];
    const response = await testApp().get(`/v2/sample/oci/manifests/${digest}`, headers);
    expect(response.status).toBe(200);
    expect(await digestThatClientsCompute(response)).toBe(digest);
  });

  it('is recognized with an escaped colon', async () => {
    const digest = (await storedDigest('sample/oci')).replace(':', '%3A');
    const response = await testApp().get(`/v2/sample/oci/manifests/${digest}`, { Accept: '*/*' });
    expect(response.status).toBe(200);
  });
});

describe('REGSHIFT_CONVERT_BY_DIGEST=always', () => {
  it.each(unread)('$sample → $client: converted', async ({ sample, client, equivalent }) => {
    const app = testApp({ REGSHIFT_CONVERT_BY_DIGEST: 'always' });
    const headers = manifestRequestHeaders[client];
    const stored = await storedDigest(sample);
    const response = await app.get(`/v2/${sample}/manifests/${stored}`, headers);
    expect(response.status).toBe(200);
    expect(response.header('Content-Type')).toBe(equivalent);
    // The headers describe the sent bytes, so that a client that verifies the requested digest notices.
    expect(response.header('Docker-Content-Digest')).toBe(await digestThatClientsCompute(response));
    expect(response.header('Docker-Content-Digest')).not.toBe(stored);
  });
});

describe('a digest that does not exist', () => {
  const nowhere = `sha256:${'0'.repeat(64)}`;

  it.each(Object.entries(manifestRequestHeaders))('is MANIFEST_UNKNOWN to %s', async (_client, headers) => {
    const response = await testApp().get(`/v2/sample/oci/manifests/${nowhere}`, headers);
    expect([response.status, response.error().code]).toEqual([404, 'MANIFEST_UNKNOWN']);
  });

  it('of a derived manifest in another repository is MANIFEST_UNKNOWN', async () => {
    const app = testApp();
    const headers = manifestRequestHeaders['Docker 1.9.1'];
    const derived = (await app.get('/v2/sample/oci/manifests/latest', headers)).header(
      'Docker-Content-Digest',
    );
    const response = await app.get(`/v2/sample/schema2/manifests/${derived}`, headers);
    expect([response.status, response.error().code]).toEqual([404, 'MANIFEST_UNKNOWN']);
  });
});
