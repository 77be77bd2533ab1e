import { expect, it } from 'vitest';
import { ociManifestDialect } from '../../converters/formats/oci/dialect.ts';
import { writeDescriptorManifest } from '../../converters/formats/oci-family/write-manifest.ts';
import { digestOf, type Image, mediaTypes, readManifest } from '../../converters/index.ts';
import type { Layer } from '../../converters/model.ts';

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const digest = digestOf(encode('a layer'));
const schema1 = readManifest(
  encode({
    ...{ schemaVersion: 1, name: 'n', tag: 't', architecture: 'amd64', fsLayers: [{ blobSum: digest }] },
    history: [{ v1Compatibility: JSON.stringify({ id: 'a'.repeat(64) }) }],
  }),
) as Image;

// Schema 1 states neither a config nor the sizes of layers. Without these errors, a manifest would lack them.

it('an image without a config is refused', () => {
  expect(() => writeDescriptorManifest(schema1, ociManifestDialect, new Set())).toThrow(
    expect.objectContaining({ code: 'INEXPRESSIBLE', message: expect.stringContaining('has no config') }),
  );
});

it('a layer of unknown size is refused by its digest', () => {
  const [layer] = schema1.dependencies as [Layer];
  const descriptor = { ...layer, mediaType: mediaTypes.ociConfig, size: 2 };
  const dependencies = schema1.dependencies.map((layer) => ({ ...layer, compression: 'gzip' as const }));
  const image: Image = { ...schema1, target: { kind: 'config', descriptor }, dependencies };
  expect(() => writeDescriptorManifest(image, ociManifestDialect, new Set())).toThrow(
    expect.objectContaining({ code: 'INEXPRESSIBLE', found: digest }),
  );
});
