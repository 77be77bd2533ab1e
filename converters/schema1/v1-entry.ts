import { asBoolean, asObject, asString, type Field, optional, optionalString, required } from '../fields.ts';
import { parseJson } from '../parse-json.ts';
import type { RawDocument, RawObject } from '../raw-json.ts';
import { encodeText } from '../raw-text.ts';

/** One entry of a schema 1 `history`: the v1 image that a layer was, read from `v1Compatibility`. */
export interface V1Entry {
  /** 64 hex digits. */
  readonly id: string;
  /** "" for the base. */
  readonly parent: string;
  /** Made no files: marked so by registries that converted schema 2. */
  readonly throwaway: boolean;
  readonly document: RawDocument;
  readonly root: RawObject;
}

/** @param field the string that holds the JSON. @throws ConversionError UNREADABLE, INVALID or LIMIT. */
export function readV1Entry(field: Field): V1Entry {
  const document = parseJson(encodeText(asString(field)), {
    what: `v1Compatibility at ${field.path}`,
    dialect: 'schema1',
    duplicates: 'keep',
  });
  const root = asObject({ document, value: document.root, path: field.path, dialect: 'schema1' });
  const throwaway = optional(root, 'throwaway');
  return {
    id: asString(required(root, 'id')),
    parent: optionalString(root, 'parent') ?? '',
    throwaway: throwaway ? asBoolean(throwaway) : false,
    document,
    root: root.value,
  };
}
