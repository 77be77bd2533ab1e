import type { Digest } from '../digest.ts';
import { ConversionError } from '../errors.ts';
import { asItems, asObject, asString, type Field, optional, optionalString } from '../fields.ts';
import type { Layer, V1Target } from '../model.ts';
import type { RawObject } from '../raw-json.ts';
import { encodeText, quote } from '../raw-text.ts';
import { sortedObject } from '../sorted-object.ts';
import { type GoTime, goTime, zeroTime } from '../time.ts';
import { emptyLayer } from './empty-layer.ts';
import type { V1Entry } from './v1-entry.ts';

/** One entry of a schema 1 manifest with the layer it names; none where it has no content. */
export interface V1Step {
  readonly entry: V1Entry;
  readonly layer: Layer | undefined;
}

/** An older way of writing no files at all: a gzipped tar of 1024 zero bytes made by other means. */
const otherEmptyLayer = 'sha256:3c2cba919283a210665e480bcbf943eaaf4ed87a83f02e81bb286b8bdead0e75';

/**
 * The entries base first, consecutive ones of one id taken for one (moby, distribution/pull_v2.go,
 * fixManifestLayers), with their layers; empty ones without.
 * @param layers base first, one an entry.
 */
export function v1Steps(target: V1Target, layers: readonly Layer[]): V1Step[] {
  const entries = target.entries.toReversed();
  return entries.flatMap((entry, index): V1Step[] => {
    if (entries[index + 1]?.id === entry.id) return [];
    const layer = layers[index];
    return [{ entry, layer: layer && isEmpty(entry, layer) ? undefined : layer }];
  });
}

function isEmpty(entry: V1Entry, { digest }: Layer): boolean {
  return entry.throwaway || entry.size === 0 || digest === emptyLayer.digest || digest === otherEmptyLayer;
}

/** What a config no longer has of its v1 image. */
const dropped: ReadonlySet<string> = new Set(['id', 'parent', 'parent_id', 'layer_id', 'throwaway', 'Size']);

/**
 * Makes the config that stands for a chain of v1 images, as Docker 1.10 and later do when they pull schema 1
 * (moby, image/v1/imagev1.go, MakeConfigFromV1Config): its digest is the image id that they show.
 * @param diffIds base first, one for each step with a layer.
 */
export function configFromV1(steps: readonly V1Step[], diffIds: readonly Digest[]): Uint8Array {
  const top = steps.at(-1);
  if (!top) {
    throw new ConversionError({ code: 'INVALID', message: 'The image has no history', dialect: 'schema1' });
  }
  const history = steps.map(({ entry, layer }) => historyJson(fieldOf(entry), layer === undefined));
  const set = new Map([
    ['rootfs', rootfsJson(diffIds)],
    ['history', `[${history.join(',')}]`],
  ]);
  return encodeText(sortedObject(top.entry.document, top.entry.root, dropped, set));
}

/**
 * The same for a bare v1 image JSON, whose history is not known: one entry a layer, as the image itself was made
 * when it was.
 */
export function configFromBareV1(field: Field<RawObject>, diffIds: readonly Digest[]): Uint8Array {
  const made = historyJson(field, false);
  const below = `{"created":${quote(createdOf(field))}}`;
  const history = diffIds.map((_, index) => (index === diffIds.length - 1 ? made : below));
  const set = new Map([
    ['rootfs', rootfsJson(diffIds)],
    ['history', `[${history.join(',')}]`],
  ]);
  return encodeText(sortedObject(field.document, field.value, dropped, set));
}

function fieldOf({ document, root }: V1Entry): Field<RawObject> {
  return { document, value: root, path: '$', dialect: 'schema1' };
}

function rootfsJson(diffIds: readonly Digest[]): string {
  return `{"type":"layers","diff_ids":[${diffIds.map(quote).join(',')}]}`;
}

/** The keys of Docker's history struct, in its order. */
function historyJson(entry: Field<RawObject>, empty: boolean): string {
  const author = optionalString(entry, 'author');
  const createdBy = commandOf(entry);
  const comment = optionalString(entry, 'comment');
  const members = [
    `"created":${quote(createdOf(entry))}`,
    author && `"author":${quote(author)}`,
    createdBy && `"created_by":${quote(createdBy)}`,
    comment && `"comment":${quote(comment)}`,
    empty && '"empty_layer":true',
  ];
  return `{${members.filter(Boolean).join(',')}}`;
}

function createdOf(entry: Field<RawObject>): GoTime {
  const created = optional(entry, 'created');
  if (!created) return zeroTime;
  return goTime(asString(created)) ?? zeroTime;
}

function commandOf(entry: Field<RawObject>): string {
  const container = optional(entry, 'container_config');
  const command = container && optional(asObject(container), 'Cmd');
  if (!command) return '';
  // Docker before 1.3 wrote a single string.
  return command.value.kind === 'string' ? asString(command) : asItems(command).map(asString).join(' ');
}
