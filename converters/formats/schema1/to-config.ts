import type { Bytes } from '../../bytes.ts';
import type { Digest } from '../../digest.ts';
import { ConversionError } from '../../errors.ts';
import type { RawObject } from '../../json/document.ts';
import { asObject, asString, asStrings, type Field, optional, optionalString } from '../../json/fields.ts';
import { sortedObject } from '../../json/go-map.ts';
import { type GoTime, goTime, zeroTime } from '../../json/go-time.ts';
import { encodeText, quote } from '../../json/lossless-text.ts';
import type { V1Entry } from '../../model.ts';
import { asDockerBefore183 } from './v1-image-struct.ts';
import type { V1Step } from './v1-steps.ts';

/** Keys of a v1 image that its config does not have. */
const dropped: ReadonlySet<string> = new Set(['id', 'parent', 'parent_id', 'layer_id', 'throwaway', 'Size']);

/**
 * Makes the config for a chain of v1 images, as Docker from 1.10 on does when it pulls schema 1 (moby,
 * image/v1/imagev1.go, MakeConfigFromV1Config). The digest of the config is the image id that Docker displays.
 * @param steps base first.
 * @param diffIds base first, one for each step with a layer.
 * @throws ConversionError INVALID when there is no step, or a field has another type than in Docker's structs.
 */
export function configFromV1(steps: readonly V1Step[], diffIds: readonly Digest[]): Bytes {
  const top = steps.at(-1);
  if (!top) {
    throw new ConversionError({ code: 'INVALID', message: 'The image has no history', dialect: 'schema1' });
  }
  const history = steps.map(({ entry, layer }) => historyJson(fieldOf(entry), layer === undefined));
  return configJson(fieldOf(top.entry), diffIds, history);
}

/**
 * Makes the config for a bare v1 image JSON, which has no history. The config gets one entry per layer, each with the
 * creation time of the image.
 * @throws ConversionError INVALID when a field has another type than in Docker's structs.
 */
export function configFromBareV1(field: Field<RawObject>, diffIds: readonly Digest[]): Bytes {
  const top = historyJson(field, diffIds.length === 0);
  const below = `{"created":${quote(createdOf(field))}}`;
  return configJson(field, diffIds, [...diffIds.slice(1).map(() => below), top]);
}

function configJson(field: Field<RawObject>, diffIds: readonly Digest[], history: readonly string[]): Bytes {
  const { document, value } = asDockerBefore183(field);
  const added = new Map([
    ['rootfs', `{"type":"layers","diff_ids":[${diffIds.map(quote).join(',')}]}`],
    ['history', `[${history.join(',')}]`],
  ]);
  return encodeText(sortedObject(document, value, dropped, added));
}

function fieldOf({ document, root }: V1Entry): Field<RawObject> {
  return { document, value: root, path: '$', dialect: 'schema1' };
}

/** One history entry as JSON, with the keys of Docker's history struct in its order. */
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
  // Docker before 1.3 wrote one string instead of an array.
  return command.value.kind === 'string' ? asString(command) : asStrings(command).join(' ');
}
