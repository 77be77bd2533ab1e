import { type Digest, digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { utf8 } from './bytes.ts';
import { json, type SampleContent, type SampleDescriptor } from './content.ts';
import type { PlatformEntry } from './docker.ts';
import { gzip } from './gzip.ts';
import type { SampleImage, SampleLayer } from './image.ts';
import { zstd } from './zstd.ts';

/** The indent of BuildKit, in spaces. */
const indent = 2;

/** Compresses a layer of an OCI image. @param index the position of the layer, counted from the base. */
type LayerEncoding = (layer: SampleLayer, index: number) => { mediaType: string; bytes: Uint8Array };

const gzipLayers: LayerEncoding = (layer) => ({
  mediaType: mediaTypes.ociLayerGzip,
  bytes: gzip(layer.tar),
});

/**
 * Compresses by zstd. The base is one frame with its content size. The layer above it is harder to read: several frames
 * without a content size, and a skippable frame. That one is last, because podman recognises zstd by the magic of an
 * ordinary frame.
 */
export const zstdLayers: LayerEncoding = (layer, index) => ({
  mediaType: mediaTypes.ociLayerZstd,
  bytes:
    index === 0
      ? zstd(layer.tar, { contentSize: true })
      : zstd(layer.tar, { contentSize: false, frames: 3, skippable: 'last' }),
});

/**
 * An OCI manifest with `mediaType` and without annotations, so that a conversion to schema 2 and back restores its
 * bytes.
 */
export function ociManifest(
  content: SampleContent,
  image: SampleImage,
  encode = gzipLayers,
): SampleDescriptor {
  const layers = image.layers.map((layer, index) => {
    const { mediaType, bytes } = encode(layer, index);
    return content.addBlob(mediaType, bytes);
  });
  return addOciManifest(content, content.addBlob(mediaTypes.ociConfig, image.config), layers);
}

function addOciManifest(
  content: SampleContent,
  config: SampleDescriptor,
  layers: readonly object[],
): SampleDescriptor {
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
  return content.addManifest(mediaTypes.ociManifest, json(manifest, indent));
}

export function ociIndex(content: SampleContent, entries: readonly PlatformEntry[]): SampleDescriptor {
  return addOciIndex(content, entries.map(indexEntry));
}

/** An index as BuildKit writes it: the images, and then one attestation manifest for each. */
export function ociIndexWithAttestations(
  content: SampleContent,
  entries: readonly PlatformEntry[],
): SampleDescriptor {
  const attestations = entries.map((entry) => attestationEntry(content, entry.manifest.digest));
  return addOciIndex(content, [...entries.map(indexEntry), ...attestations]);
}

function addOciIndex(content: SampleContent, manifests: readonly object[]): SampleDescriptor {
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  return content.addManifest(mediaTypes.ociIndex, json(index, indent));
}

function indexEntry({ manifest, platform }: PlatformEntry): object {
  return { ...manifest, platform };
}

function attestationEntry(content: SampleContent, subject: Digest): object {
  const predicateType = 'https://slsa.dev/provenance/v0.2';
  const statement = json({
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType,
    subject: [{ name: 'sample', digest: { sha256: subject.slice('sha256:'.length) } }],
    predicate: { builder: { id: '' }, buildType: 'https://mobyproject.org/buildkit@v1' },
  });
  const config = json({
    architecture: 'unknown',
    os: 'unknown',
    config: {},
    rootfs: { type: 'layers', diff_ids: [digestOf(statement)] },
  });
  const layer = {
    ...content.addBlob('application/vnd.in-toto+json', statement),
    annotations: { 'in-toto.io/predicate-type': predicateType },
  };
  const manifest = addOciManifest(content, content.addBlob(mediaTypes.ociConfig, config), [layer]);
  const annotations = {
    'vnd.docker.reference.digest': subject,
    'vnd.docker.reference.type': 'attestation-manifest',
  };
  return { ...manifest, annotations, platform: { architecture: 'unknown', os: 'unknown' } };
}

/** A chart as Helm stores it: valid OCI, but not an image that a runtime can run. */
export function helmChart(content: SampleContent, image: SampleImage): SampleDescriptor {
  const config = json({ name: 'sample', version: '1.0.0', apiVersion: 'v2', type: 'application' });
  const charts = image.layers.map((layer) =>
    content.addBlob('application/vnd.cncf.helm.chart.content.v1.tar+gzip', gzip(layer.tar)),
  );
  const provenance = content.addBlob('application/vnd.cncf.helm.chart.provenance.v1.prov', utf8('sample\n'));
  const type = 'application/vnd.cncf.helm.config.v1+json';
  return addOciManifest(content, content.addBlob(type, config), [...charts.slice(0, 1), provenance]);
}
