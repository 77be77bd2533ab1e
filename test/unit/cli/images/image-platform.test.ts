import { expect, it } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { mediaTypes } from '../../../../converters/media-types.ts';
import type { ConversionPorts } from '../../../../converters/ports.ts';
import { readManifest } from '../../../../converters/read.ts';
import { otherPlatform } from '../../../../src/cli/images/image-platform.ts';

const encoded = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function imageFor(platform: object) {
  const config = encoded({ ...platform, rootfs: { type: 'layers', diff_ids: [] } });
  const manifest = encoded({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
    layers: [],
  });
  const ports = { fetchBlob: async () => config } as Partial<ConversionPorts> as ConversionPorts;
  return { model: readManifest(manifest), ports };
}

it.each([
  ['aarch64', 'arm64', undefined],
  ['x86_64', 'amd64', undefined],
  ['arm64', 'arm64', undefined],
  ['aarch64', 'amd64', 'aarch64'],
  ['x86_64', 'arm64', 'x86_64'],
])('an image for %s, wanted for %s, is for another platform: %s', async (architecture, wanted, other) => {
  const { model, ports } = imageFor({ os: 'linux', architecture });
  const found = await otherPlatform(model, { os: 'linux', architecture: wanted }, ports);
  expect(found?.architecture).toBe(other);
});
