import { describe, expect, it } from 'vitest';
import {
  convertImage,
  convertToRegistryV1,
  emptyLayer,
  generateSigningKey,
  type Image,
  mediaTypes,
  readManifest,
  v1ImageJson,
} from '../../converters/index.ts';
import { goldenPairsOfImages, storedPair } from '../support/converters/golden-pairs.ts';
import { MemoryRegistry } from '../support/converters/memory-registry.ts';
import { noPorts } from '../support/converters/no-ports.ts';
import { contextOf } from '../support/converters/stored-case.ts';
import { goldenBytes } from '../support/golden.ts';
import { readSignedSchema1 } from '../support/signed-schema1.ts';

const key = generateSigningKey();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('an image as v1 images', () => {
  it.each(goldenPairsOfImages())('%s has the ids, parents, layers and JSON of its schema 1', async (name) => {
    const stored = storedPair(name);
    const image = readManifest(stored.documents.get(stored.root) ?? new Uint8Array()) as Image;
    const context = contextOf(stored, () => key);
    const { images, blobs } = await convertToRegistryV1(image, context);
    const schema1 = await convertImage(image, 'schema1', context);
    const { entries, document } = readSignedSchema1(schema1.body);
    expect(images.map(({ id, parent }) => [id, parent])).toEqual(
      entries.map((each) => [each.id, each.parent ?? '']),
    );
    expect(images.map(({ blob }) => blob)).toEqual(document.fsLayers.map(({ blobSum }) => blobSum));
    expect(images.map((each) => text(v1ImageJson(each)))).toEqual(
      document.history.map((each) => each.v1Compatibility),
    );
    expect(blobs).toEqual(schema1.blobs);
  });

  it('has the empty layer for entries that are marked empty', async () => {
    const stored = storedPair('sample-schema2-empty-layers');
    const image = readManifest(stored.documents.get(stored.root) ?? new Uint8Array()) as Image;
    const { images } = await convertToRegistryV1(
      image,
      contextOf(stored, () => key),
    );
    const empty = images.filter((each) => each.empty);
    expect(empty.length).toBeGreaterThan(0);
    expect(new Set(empty.map(({ blob }) => blob))).toEqual(new Set([emptyLayer.digest]));
  });

  it('is refused if its schema 1 manifest is forged', async () => {
    const forged = text(goldenBytes('signatures/ES256.json')).replace('library/signed', 'library/forged');
    const image = readManifest(new TextEncoder().encode(forged)) as Image;
    await expect(convertToRegistryV1(image, noPorts)).rejects.toMatchObject({ code: 'SIGNATURE' });
  });

  it.each([
    ['an encrypted layer', `${mediaTypes.ociLayerGzip}+encrypted`],
    ['a foreign layer', mediaTypes.ociForeignGzip],
  ])('is refused with %s', async (_, layerType) => {
    const registry = new MemoryRegistry();
    const image = registry.read(registry.image('a', 'amd64', layerType)) as Image;
    await expect(convertToRegistryV1(image, registry.context)).rejects.toMatchObject({
      code: 'INEXPRESSIBLE',
      dialect: 'v1',
    });
    await expect(convertImage(image, 'schema1', registry.context)).rejects.toMatchObject({
      code: 'INEXPRESSIBLE',
      dialect: 'schema1',
    });
  });
});
