import { concatenate } from '../../bytes.ts';
import { type Digest, digestHex, sha256Hex, sha384Hex } from '../../digest.ts';
import { ConversionError, type Dialect, excerpt } from '../../errors.ts';
import type { HistoryEntry, ImageConfig } from '../../image-config.ts';
import { sortedObject } from '../../json/go-map.ts';
import { encodeText, quote } from '../../json/lossless-text.ts';
import type { Layer } from '../../model.ts';
import { emptyLayer } from './empty-layer.ts';
import { historySteps } from './history-steps.ts';

/**
 * One v1 image. A schema 1 manifest has its layer in `fsLayers` and its JSON in `history`, at the same index. Registry
 * API v1 serves both under the id of the v1 image.
 */
export interface V1Image {
  /** 64 hex digits. */
  readonly id: string;
  /** The id of the parent image; "" for the base. */
  readonly parent: string;
  /** Digest of the layer. */
  readonly blob: Digest;
  /** Whether the image has no layer of its own; `blob` is then the empty layer. */
  readonly empty: boolean;
  /** The JSON of `v1Compatibility`. `encodeText` converts it to bytes. */
  readonly json: string;
}

/**
 * Makes the chain of v1 images for an image, as docker-registry does (distribution 2.8.2, schema1/config_builder.go).
 * @param layers base first.
 * @param dialect the dialect to write, for messages.
 * @returns the v1 images, newest first.
 * @throws ConversionError INVALID when history and layers do not match; INEXPRESSIBLE beyond 124 layers, and for
 * layers that old clients cannot read.
 */
export function v1Chain(config: ImageConfig, layers: readonly Layer[], dialect: Dialect): V1Image[] {
  for (const layer of layers) checkLayer(layer, dialect);
  const steps = historySteps(config, layers, dialect);
  const chain: V1Image[] = [];
  let parent = '';
  steps.forEach((step, index) => {
    const top = index === steps.length - 1;
    const blob = step.layer?.digest ?? emptyLayer.digest;
    const id = imageId(blob, parent, top ? config.bytes : undefined);
    const base = index === 0 && !top ? windowsBase(config) : '';
    const identity = { id, parent: parent || base, throwaway: step.layer === undefined };
    const json = top ? topJson(config, identity) : entryJson(step.history, identity);
    chain.push({ id, parent: identity.parent, blob, empty: step.layer === undefined, json });
    parent = id;
  });
  return chain.reverse();
}

function checkLayer({ encrypted, foreign, compression, mediaType, digest }: Layer, dialect: Dialect): void {
  const fault =
    (encrypted && 'an encrypted layer, which clients of schema 1 cannot decrypt') ||
    (foreign && 'a foreign layer, which schema 1 cannot point to') ||
    (compression === 'zstd' && 'a layer packed by zstd, which clients of schema 1 cannot unpack');
  if (!fault) return;
  throw new ConversionError({
    code: 'INEXPRESSIBLE',
    message: `The image has ${fault}`,
    dialect,
    found: `${mediaType} ${digest}`,
    expected: 'layers that the registry holds and every client can unpack',
  });
}

/**
 * The id of a v1 image. Without a parent, the hashed text has two spaces in a row.
 * @param config the bytes of the config for the top entry; `undefined` for other entries.
 */
function imageId(blob: Digest, parent: string, config: Uint8Array | undefined): string {
  const prefix = `${digestHex(blob)} ${parent}`;
  return sha256Hex(config ? concatenate([encodeText(`${prefix} `), config]) : prefix);
}

/** The parent of the base of a Windows image of 2016, which represents the system it was built on; otherwise "". */
function windowsBase({ baseLayer, os }: ImageConfig): string {
  if (!baseLayer) return '';
  if (os === 'windows') return sha384Hex(encodeText(baseLayer)).slice(0, 64);
  // Docker on other systems refuses a base with a parent.
  throw new ConversionError({
    code: 'INVALID',
    message: 'Only a Windows image can name a base that it does not contain',
    path: '$.rootfs.base_layer',
    found: `an image for ${excerpt(os ?? '')}`,
    expected: '"os": "windows", or no base_layer',
  });
}

interface Identity {
  readonly id: string;
  readonly parent: string;
  readonly throwaway: boolean;
}

/** The JSON of an entry below the top, in the key order of docker-registry's struct. */
function entryJson(history: HistoryEntry, { id, parent, throwaway }: Identity): string {
  const { comment, created, createdBy, author } = history;
  // The parent of the base of a Windows image is hex, too, and `goTime` has written the time.
  let json = `{"id":"${id}"`;
  if (parent) json += `,"parent":"${parent}"`;
  if (comment) json += `,"comment":${quote(comment)}`;
  json += `,"created":"${created}","container_config":{"Cmd":[${quote(createdBy)}]}`;
  if (author) json += `,"author":${quote(author)}`;
  return throwaway ? `${json},"throwaway":true}` : `${json}}`;
}

/** Keys of the config to leave out: v1 has no place for the first two, and the other three would break old clients. */
const dropped = new Set(['rootfs', 'history', 'id', 'parent', 'throwaway']);

/** The JSON of the top entry: the config with the identity of the v1 image. */
function topJson(config: ImageConfig, { id, parent, throwaway }: Identity): string {
  const set = new Map([['id', quote(id)]]);
  if (parent) set.set('parent', quote(parent));
  if (throwaway) set.set('throwaway', 'true');
  return sortedObject(config.document, config.root, dropped, set);
}
