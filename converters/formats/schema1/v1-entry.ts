import {
  asBoolean,
  asObject,
  asString,
  type Field,
  optional,
  optionalString,
  required,
} from '../../json/fields.ts';
import { encodeText } from '../../json/lossless-text.ts';
import { parseJson } from '../../json/parse.ts';
import type { V1Entry } from '../../model.ts';

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
