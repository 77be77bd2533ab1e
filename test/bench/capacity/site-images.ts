import { createHash } from 'node:crypto';
import { digestOf } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';

/** Content in pieces, so that images share the memory of their common bytes. */
export interface SiteContent {
  readonly pieces: readonly Uint8Array[];
  readonly type: string;
}

/** An image of a site, with the digests that its pull asks for. */
export interface SiteImage {
  readonly manifest: string;
  readonly config: string;
  /** The layers that no other image has: a machine that gets the image downloads them. */
  readonly ownLayers: readonly string[];
}

/** Content by its digest. */
export type SiteContents = Map<string, SiteContent>;

/** Layers of an image: seven of ten belong to a base, which 50 images share. */
export const ownLayersOfImage = 3;
const baseLayersOfImage = 7;
const imagesOfBase = 50;
/** Bytes of each layer before its last 16, which differ. */
const fillerBytes = 8_388_608;

const { ociConfig, ociLayerGzip, ociManifest } = mediaTypes;
const filler = gzipLike(fillerBytes);
const fillerHash = createHash('sha256').update(filler);

/** Bytes of each layer. */
export const layerBytes = fillerBytes + 16;

/**
 * Builds the image `number`, and puts its content into `contents`: OCI, ten layers of 8 MiB, 20 history entries. Each
 * image has its own config, three layers of its own, and seven of its base.
 */
export function buildSiteImage(number: number, contents: SiteContents): SiteImage {
  const keep = (type: string, bytes: Uint8Array) => {
    const digest = digestOf(bytes);
    contents.set(digest, { pieces: [bytes], type });
    return { mediaType: type, digest, size: bytes.length };
  };
  const base = Math.floor(number / imagesOfBase);
  const baseLayers = layers(`base ${base}`, baseLayersOfImage, contents);
  const ownLayers = layers(`image ${number}`, ownLayersOfImage, contents);
  const config = keep(ociConfig, json(configOf(number)));
  const fields = { config, layers: [...baseLayers, ...ownLayers] };
  const manifest = keep(ociManifest, json({ schemaVersion: 2, mediaType: ociManifest, ...fields }));
  return {
    manifest: manifest.digest,
    config: config.digest,
    ownLayers: ownLayers.map(({ digest }) => digest),
  };
}

/** Bytes of the large layer. */
export const largeLayerBytes = 16 * fillerBytes;

/** Puts a large layer, which no image has, into `contents`. @returns its digest. */
export function buildLargeLayer(contents: SiteContents): string {
  const pieces = Array.from({ length: largeLayerBytes / fillerBytes }, () => filler);
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  const digest = `sha256:${hash.digest('hex')}`;
  contents.set(digest, { pieces, type: 'application/octet-stream' });
  return digest;
}

function layers(owner: string, count: number, contents: SiteContents) {
  return Array.from({ length: count }, (_, n) => {
    const end = createHash('sha256').update(`${owner} layer ${n}`).digest().subarray(0, 16);
    const digest = `sha256:${fillerHash.copy().update(end).digest('hex')}`;
    contents.set(digest, { pieces: [filler, end], type: 'application/octet-stream' });
    return { mediaType: ociLayerGzip, digest, size: layerBytes };
  });
}

function configOf(number: number): object {
  const created = '2024-05-06T07:08:09.123456789Z';
  const count = ownLayersOfImage + baseLayersOfImage;
  return {
    os: 'linux',
    architecture: 'amd64',
    created,
    config: { Env: ['PATH=/usr/bin:/bin', `IMAGE=${number}`], Cmd: ['run'] },
    history: Array.from({ length: 2 * count }, (_, n) => ({
      created,
      created_by: `/bin/sh -c apt-get update && apt-get install -y package-${n} && rm -rf /var/lib/apt/lists/*`,
      ...(n % 2 ? { empty_layer: true } : {}),
    })),
    rootfs: {
      type: 'layers',
      diff_ids: Array.from({ length: count }, (_, n) => digestOf(json(`unpacked ${n} of ${number}`))),
    },
  };
}

/** Bytes that begin like gzip, so that a look at the first ones agrees with the label of the layer. */
function gzipLike(length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(7);
  bytes.set([0x1f, 0x8b, 8]);
  return bytes;
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
