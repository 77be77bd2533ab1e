import { type Bytes, checkIsBytes } from './bytes.ts';
import type { Digest } from './digest.ts';
import type { RawDocument, RawObject } from './json/document.ts';
import {
  asBoolean,
  asDigest,
  asItems,
  asObject,
  asString,
  emptyObject,
  type Field,
  optional,
  optionalString,
  refuseField,
  rootField,
} from './json/fields.ts';
import { type GoTime, goTime, zeroTime } from './json/go-time.ts';
import { parseJson } from './json/parse.ts';
import { checkDocumentSize } from './limits.ts';
import type { Platform } from './platform.ts';

/**
 * An image's config. It is a modern config (OCI image-spec, config.md), or the bare v1 image JSON of 2015, which has
 * neither `rootfs` nor `history`.
 */
export interface ImageConfig {
  /** The bytes of the config as stored; conversions never change them. */
  readonly bytes: Bytes;
  readonly document: RawDocument;
  readonly root: RawObject;
  /** "" if the config states none, as docker-registry writes it. */
  readonly architecture: string;
  readonly os: string | undefined;
  readonly platform: Platform | undefined;
  /** `undefined` if absent or not a time. docker-registry copies the member without reading it, as regshift does. */
  readonly created: GoTime | undefined;
  /** Oldest entry first; `undefined` if the config has no history. */
  readonly history: readonly HistoryEntry[] | undefined;
  /**
   * One diff_id per layer, base first; `undefined` in a bare v1 JSON, which has no `rootfs`. Docker leaves out `diff_ids`
   * for an image without layers (moby, image/rootfs.go).
   */
  readonly diffIds: readonly Digest[] | undefined;
  /** `rootfs.base_layer`: Windows images of 2016 name a base that they do not contain. */
  readonly baseLayer: string | undefined;
}

/** One build instruction of an image. With `emptyLayer`, the instruction added no layer. */
export interface HistoryEntry {
  readonly created: GoTime;
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
  readonly emptyLayer: boolean;
}

/**
 * Reads the members of an image's config that conversions need. Conversions copy all other members unread.
 * @throws ConversionError UNREADABLE, INVALID or LIMIT.
 */
export function readImageConfig(bytes: Uint8Array): ImageConfig {
  checkIsBytes(bytes, 'image config');
  checkDocumentSize(bytes, 'image config');
  const document = parseJson(bytes, { what: 'image config', keys: 'as Go' });
  const root = asObject(rootField(document));
  const rootfs = optional(root, 'rootfs');
  const rootfsObject = rootfs && asObject(rootfs);
  const diffIds = rootfsObject && optional(rootfsObject, 'diff_ids');
  return {
    bytes,
    document,
    root: root.value,
    architecture: optionalString(root, 'architecture') ?? '',
    os: looseString(root, 'os'),
    platform: readPlatform(root),
    created: goTime(looseString(root, 'created') ?? ''),
    history: readHistory(root),
    diffIds: diffIds ? asItems(diffIds).map(asDigest) : rootfsObject && [],
    baseLayer: rootfsObject && optionalString(rootfsObject, 'base_layer'),
  };
}

function readPlatform(root: Field<RawObject>): Platform | undefined {
  const os = looseString(root, 'os');
  const architecture = looseString(root, 'architecture');
  if (!os || !architecture) return undefined;
  return {
    os,
    architecture,
    variant: looseString(root, 'variant'),
    osVersion: looseString(root, 'os.version'),
  };
}

/** A string member that no writer needs. A value of another type counts as absent; conversions still copy it. */
function looseString(root: Field<RawObject>, key: string): string | undefined {
  const field = optional(root, key);
  return field?.value.kind === 'string' ? asString(field) : undefined;
}

function readHistory(root: Field<RawObject>): HistoryEntry[] | undefined {
  const history = optional(root, 'history');
  return history && asItems(history).map(readHistoryEntry);
}

/** A null item is an entry without members, as Go reads it. */
function readHistoryEntry(item: Field): HistoryEntry {
  const entry = item.value.kind === 'null' ? emptyObject : asObject(item);
  const created = optional(entry, 'created');
  const emptyLayer = optional(entry, 'empty_layer');
  return {
    created: created ? timeOf(created) : zeroTime,
    createdBy: optionalString(entry, 'created_by') ?? '',
    author: optionalString(entry, 'author') ?? '',
    comment: optionalString(entry, 'comment') ?? '',
    emptyLayer: emptyLayer ? asBoolean(emptyLayer) : false,
  };
}

function timeOf(field: Field): GoTime {
  return goTime(asString(field)) ?? refuseField(field, 'A time cannot be read', 'a time of RFC 3339');
}
