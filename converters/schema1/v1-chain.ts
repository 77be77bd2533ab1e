import { type Digest, digestHex, sha256Hex, sha384Hex } from '../digest.ts';
import { ConversionError, type Dialect, excerpt } from '../errors.ts';
import type { HistoryEntry, ImageConfig } from '../image-config.ts';
import { limits } from '../limits.ts';
import type { Layer } from '../model.ts';
import { concatenate, encodeText, quote } from '../raw-text.ts';
import { sortedObject } from '../sorted-object.ts';
import { zeroTime } from '../time.ts';
import { emptyLayer } from './empty-layer.ts';

/**
 * One v1 image: what schema 1 puts into `fsLayers` and `history` at one index, and what registry API v1 serves
 * under an id.
 */
export interface V1Image {
  /** 64 hex digits. */
  readonly id: string;
  /** "" for the base. */
  readonly parent: string;
  readonly blob: Digest;
  readonly empty: boolean;
  /** The JSON of `v1Compatibility`, as text that `encodeText` turns into bytes. */
  readonly json: string;
}

/** A history entry with the layer it made, or none where it made none. */
interface Step {
  readonly history: HistoryEntry;
  readonly layer: Layer | undefined;
}

/**
 * The chain of v1 images that stands for an image, newest first (distribution 2.8.2, schema1/config_builder.go).
 * @param layers base first.
 * @param dialect that is being written, for messages.
 * @throws ConversionError INVALID when history and layers do not match; INEXPRESSIBLE beyond 124 layers, and for
 * layers that old clients cannot have.
 */
export function v1Chain(config: ImageConfig, layers: readonly Layer[], dialect: Dialect): V1Image[] {
  for (const layer of layers) checkLayer(layer, dialect);
  checkDiffIds(config, layers);
  const steps = withinLimit(pair(historyOf(config, layers), layers), dialect);
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

function checkDiffIds(config: ImageConfig, layers: readonly Layer[]): void {
  if (config.diffIds === undefined || config.diffIds.length === layers.length) return;
  throw new ConversionError({
    code: 'INVALID',
    message: 'The config and the manifest disagree on the number of layers',
    path: '$.rootfs.diff_ids',
    found: `${config.diffIds.length} diff_ids in the config`,
    expected: `${layers.length}, one for each layer of the manifest`,
  });
}

/** The config's history; without one, an entry for each layer (legal in OCI; the reference refuses it). */
function historyOf(config: ImageConfig, layers: readonly Layer[]): readonly HistoryEntry[] {
  if (config.history !== undefined && config.history.length > 0) return config.history;
  const created = config.created ?? zeroTime;
  const entry = { created, createdBy: '', author: '', comment: '' };
  // Old clients need at least one entry, even of an image without layers.
  if (layers.length === 0) return [{ ...entry, emptyLayer: true }];
  return layers.map(() => ({ ...entry, emptyLayer: false }));
}

function pair(history: readonly HistoryEntry[], layers: readonly Layer[]): Step[] {
  const withContent = history.filter((entry) => !entry.emptyLayer).length;
  if (withContent !== layers.length) {
    // The reference silently drops layers when there are fewer entries: a lost layer is a broken image.
    throw new ConversionError({
      code: 'INVALID',
      message: 'The history does not account for the layers',
      path: '$.history',
      found: `${withContent} entries with a layer`,
      expected: `${layers.length}, one for each layer of the manifest`,
    });
  }
  let next = 0;
  return history.map((entry) => ({ history: entry, layer: entry.emptyLayer ? undefined : layers[next++] }));
}

/**
 * The history entries that go because Docker ≤ 1.9 pulls 125 and then cannot create a container: empty ones, oldest
 * first. @returns their indexes.
 */
export function excessEntries(history: readonly Pick<HistoryEntry, 'emptyLayer'>[]): ReadonlySet<number> {
  const empty = history.flatMap(({ emptyLayer }, index) => (emptyLayer ? [index] : []));
  return new Set(empty.slice(0, Math.max(0, history.length - limits.schema1Entries)));
}

function withinLimit(steps: readonly Step[], dialect: Dialect): readonly Step[] {
  const gone = excessEntries(steps.map(({ history }) => history));
  const kept = steps.filter((_, index) => !gone.has(index));
  if (kept.length <= limits.schema1Entries) return kept;
  throw new ConversionError({
    code: 'INEXPRESSIBLE',
    message: 'The image has more layers than clients of schema 1 can run; rebuild it with fewer layers',
    dialect,
    found: `${kept.length} layers`,
    expected: `at most ${limits.schema1Entries}`,
  });
}

/** @param config the raw bytes of the config, for the top entry alone: two spaces in a row where parent is "". */
function imageId(blob: Digest, parent: string, config: Uint8Array | undefined): string {
  const prefix = `${digestHex(blob)} ${parent}`;
  return sha256Hex(config ? concatenate([encodeText(`${prefix} `), config]) : encodeText(prefix));
}

/** The parent that stands for the system that a Windows image of 2016 was built on. */
function windowsBase({ baseLayer, os }: ImageConfig): string {
  if (!baseLayer) return '';
  if (os === 'windows') return sha384Hex(encodeText(baseLayer)).slice(0, 64);
  // Every other Docker refuses a base with a parent.
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

/** An entry below the top; the order of keys is that of the reference's struct. */
function entryJson(history: HistoryEntry, { id, parent, throwaway }: Identity): string {
  const members = [
    `"id":${quote(id)}`,
    parent && `"parent":${quote(parent)}`,
    history.comment && `"comment":${quote(history.comment)}`,
    `"created":${quote(history.created)}`,
    `"container_config":{"Cmd":[${quote(history.createdBy)}]}`,
    history.author && `"author":${quote(history.author)}`,
    throwaway && '"throwaway":true',
  ];
  return `{${members.filter(Boolean).join(',')}}`;
}

/** Of the config's own keys these go: two have no place in v1, three would break old clients. */
const dropped = new Set(['rootfs', 'history', 'id', 'parent', 'throwaway']);

/** The top entry is the config itself. */
function topJson(config: ImageConfig, { id, parent, throwaway }: Identity): string {
  const set = new Map([['id', quote(id)]]);
  if (parent) set.set('parent', quote(parent));
  if (throwaway) set.set('throwaway', 'true');
  return sortedObject(config.document, config.root, dropped, set);
}
