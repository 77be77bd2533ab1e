import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { givenCells } from '../support/given-forms.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { readSignedSchema1 } from '../support/signed-schema1.ts';
import { testSigningKeyId } from '../support/signing-key.ts';

const app = testApp();
const docker19 = manifestRequestHeaders['Docker 1.9.1'];

const signed = givenCells
  .filter(({ client, form }) => client === 'Docker 1.9.1' && form === mediaTypes.schema1Signed)
  .map(({ sample }) => sample);

async function manifestOf(sample: string, tag = 'latest') {
  const response = await app.get(`/v2/${sample}/manifests/${tag}`, docker19);
  return readSignedSchema1(response.body);
}

it('enough samples are served as signed schema 1', () => {
  expect(signed.length).toBeGreaterThan(12);
});

describe.each(signed)('signed schema 1 of %s', (sample) => {
  it('has a valid signature, by a key with its libtrust id', async () => {
    const manifest = await manifestOf(sample);
    expect(await manifest.verify()).toBe(true);
    expect(manifest.keyId).toBe(await manifest.expectedKeyId());
  });

  it('has an unbroken chain of v1 images, newest first', async () => {
    const { entries } = await manifestOf(sample);
    for (const [index, { id, parent }] of entries.entries()) {
      expect(id).toMatch(/^[0-9a-f]{64}$/);
      expect(parent).toBe(entries[index + 1]?.id);
    }
    expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
  });

  it('has as many layers as history', async () => {
    const { document } = await manifestOf(sample);
    expect(document.fsLayers.length).toBe(document.history.length);
    expect(document.fsLayers.length).toBeGreaterThan(1);
  });

  it('names repository, tag and architecture', async () => {
    const { document } = await manifestOf(sample);
    expect(document).toMatchObject({ schemaVersion: 1, name: sample, tag: 'latest', architecture: 'amd64' });
  });
});

describe('converted schema 1', () => {
  it('is signed with the configured key', async () => {
    expect((await manifestOf('sample/oci')).keyId).toBe(testSigningKeyId);
  });

  it('contains the requested tag, so that another tag is another manifest', async () => {
    const [latest, first] = [await manifestOf('sample/oci'), await manifestOf('sample/oci', '1.0')];
    expect(first.document.tag).toBe('1.0');
    expect({ ...first.document, tag: 'latest' }).toEqual(latest.document);
  });

  it('marks entries without content as throwaway and gives them the empty layer', async () => {
    const { document, entries } = await manifestOf('sample/schema2-empty-layers');
    const empty = 'sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4';
    expect(entries.map(({ throwaway = false }) => throwaway)).toEqual([true, true, false, true, false, true]);
    expect(document.fsLayers.map(({ blobSum }) => blobSum === empty)).toEqual(
      entries.map(({ throwaway = false }) => throwaway),
    );
  });

  it('has one digest from two replicas, with two signatures', async () => {
    const other = testApp();
    const path = '/v2/sample/oci/manifests/latest';
    const [here, there] = [await app.get(path, docker19), await other.get(path, docker19)];
    expect(there.header('Docker-Content-Digest')).toBe(here.header('Docker-Content-Digest'));
    expect(there.body.length).toBe(here.body.length);
    expect(readSignedSchema1(there.body).payload).toEqual(readSignedSchema1(here.body).payload);
    expect(await readSignedSchema1(there.body).verify()).toBe(true);
  });
});

it('the reader of these tests notices an invalid signature', async () => {
  const { body } = await app.get('/v2/sample/oci/manifests/latest', docker19);
  const forged = new TextEncoder().encode(new TextDecoder().decode(body).replace('"amd64"', '"amd65"'));
  expect(await readSignedSchema1(forged).verify()).toBe(false);
});
