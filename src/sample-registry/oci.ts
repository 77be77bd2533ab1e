import { type Digest, digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { utf8 } from './bytes.ts';
import { json, type SampleContent, type SampleDescriptor } from './content.ts';
import type { PlatformEntry } from './docker.ts';
import { gzip } from './gzip.ts';
import type { SampleImage, SampleLayer } from './image.ts';
import { zstd } from './zstd.ts';

/** BuildKit indents by two spaces. */
const indent = 2;

/** How an OCI image's layers are packed; the index is the layer's place from the base. */
type OciPacking = (layer: SampleLayer, index: number) => { mediaType: string; bytes: Uint8Array };

const gzipPacking: OciPacking = (layer) => ({
  mediaType: mediaTypes.ociLayerGzip,
  bytes: gzip(layer.tar),
});

/**
 * Base: one frame that says its size. Above: what makes a reader work, several frames that do not say theirs, and
 * a skippable one. It stands last: podman tells zstd by the magic of an ordinary frame.
 */
export const zstdPacking: OciPacking = (layer, index) => ({
  mediaType: mediaTypes.ociLayerZstd,
  bytes:
    index === 0
      ? zstd(layer.tar, { contentSize: true })
      : zstd(layer.tar, { contentSize: false, frames: 3, skippable: 'last' }),
});

/** Has `mediaType` and no annotations, so it comes back to the same bytes from schema 2. */
export function ociManifest(
  content: SampleContent,
  image: SampleImage,
  packing = gzipPacking,
): SampleDescriptor {
  const layers = image.layers.map((layer, index) => {
    const { mediaType, bytes } = packing(layer, index);
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

/** As BuildKit writes it: after the images, one attestation manifest for each. */
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

/** A chart as Helm stores it: well-formed OCI, and no image that anybody could run. */
export function helmChart(content: SampleContent, image: SampleImage): SampleDescriptor {
  const config = json({ name: 'sample', version: '1.0.0', apiVersion: 'v2', type: 'application' });
  const charts = image.layers.map((layer) =>
    content.addBlob('application/vnd.cncf.helm.chart.content.v1.tar+gzip', gzip(layer.tar)),
  );
  const provenance = content.addBlob('application/vnd.cncf.helm.chart.provenance.v1.prov', utf8('sample\n'));
  const type = 'application/vnd.cncf.helm.config.v1+json';
  return addOciManifest(content, content.addBlob(type, config), [...charts.slice(0, 1), provenance]);
}
