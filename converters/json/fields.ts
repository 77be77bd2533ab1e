import { type Digest, isDigest, isOfUnknownAlgorithm } from '../digest.ts';
import { ConversionError, type Dialect, excerpt } from '../errors.ts';
import {
  compact,
  member,
  type RawDocument,
  type RawObject,
  type RawValue,
  rawText,
  stringValue,
} from './document.ts';

/** A value of a document with its path, for error messages. */
export interface Field<Value extends RawValue = RawValue> {
  readonly document: RawDocument;
  readonly value: Value;
  readonly path: string;
  readonly dialect: Dialect | undefined;
}

export function rootField(document: RawDocument, dialect?: Dialect): Field {
  return { document, value: document.root, path: '$', dialect };
}

const empty: RawObject = { kind: 'object', start: 0, end: 2, members: [] };

/** An object without members, for a value that Go reads as one. */
export const emptyObject = asObject(rootField({ text: '{}', root: empty, anyCase: true }));

/** Refuses the value of a field. @throws ConversionError INVALID with the path, the value and `expected`. */
export function refuseField(field: Field, message: string, expected: string): never {
  throw new ConversionError({
    code: 'INVALID',
    message,
    dialect: field.dialect,
    path: field.path,
    found: excerpt(compact(field.document, field.value)),
    expected,
  });
}

/** @throws ConversionError INVALID when the value is not an object. */
export function asObject(field: Field): Field<RawObject> {
  if (field.value.kind !== 'object') refuseField(field, 'A field has the wrong type', 'an object');
  return field as Field<RawObject>;
}

/** The member of an object, or `undefined` if absent or null, which Go treats alike. */
export function optional(object: Field<RawObject>, key: string): Field | undefined {
  const { document, dialect } = object;
  const value = document.anyCase ? memberInAnyCase(object.value, key) : member(object.value, key);
  if (value === undefined || value.kind === 'null') return undefined;
  return { document, value, path: `${object.path}.${key}`, dialect };
}

/** The value of the last member that Go's encoding/json takes for a key. */
function memberInAnyCase({ members }: RawObject, key: string): RawValue | undefined {
  const folded = fold(key);
  return members.findLast((each) => each.key.length === key.length && fold(each.key) === folded)?.value;
}

/** The member of an object. @throws ConversionError INVALID when it is absent or null. */
export function required(object: Field<RawObject>, key: string): Field {
  return optional(object, key) ?? refuseField(object, `The field "${key}" is missing`, `a field "${key}"`);
}

/**
 * The items of a required array member. Null counts as an empty array: Go writes a nil slice so.
 * @throws ConversionError INVALID when the member is absent or not an array.
 */
export function requiredItems(object: Field<RawObject>, key: string): Field[] {
  return member(object.value, key)?.kind === 'null' ? [] : asItems(required(object, key));
}

/** @throws ConversionError INVALID when the value is not an array. */
export function asItems(field: Field): Field[] {
  if (field.value.kind !== 'array') refuseField(field, 'A field has the wrong type', 'an array');
  const { document, path, dialect } = field;
  return field.value.items.map((value, index) => ({ document, value, path: `${path}[${index}]`, dialect }));
}

/** @throws ConversionError INVALID when the value is not a string. */
export function asString(field: Field): string {
  if (field.value.kind !== 'string') refuseField(field, 'A field has the wrong type', 'a string');
  return stringValue(field.document, field.value);
}

/** The strings of an array. A null item is an empty string, as Go reads it. @throws ConversionError INVALID. */
export function asStrings(field: Field): string[] {
  return asItems(field).map((item) => (item.value.kind === 'null' ? '' : asString(item)));
}

/**
 * A byte count or a version.
 * @throws ConversionError INVALID when the value is not a whole number that JavaScript represents exactly.
 */
export function asCount(field: Field): number {
  const text = rawText(field.document, field.value);
  const number = Number(text);
  if (field.value.kind !== 'number' || !/^[0-9]+$/.test(text) || !Number.isSafeInteger(number)) {
    refuseField(field, 'A number cannot be used', 'a whole number from 0 to 9007199254740991');
  }
  return number;
}

/** @throws ConversionError INVALID when the value is not a boolean. */
export function asBoolean(field: Field): boolean {
  if (field.value.kind !== 'boolean') refuseField(field, 'A field has the wrong type', 'true or false');
  return rawText(field.document, field.value) === 'true';
}

/** @throws ConversionError INVALID when the value is not a digest. */
export function asDigest(field: Field): Digest {
  const text = asString(field);
  if (!isDigest(text)) refuseField(field, 'A digest cannot be read', 'sha256: and 64 lower-case hex digits');
  return text;
}

/** A digest of any algorithm. @throws ConversionError INVALID for other text, and for a wrong one of a known algorithm. */
export function asAnyDigest(field: Field): string {
  const text = asString(field);
  return isOfUnknownAlgorithm(text) ? text : asDigest(field);
}

/** A string member, or `undefined` if absent or null. @throws ConversionError INVALID when it is not a string. */
export function optionalString(object: Field<RawObject>, key: string): string | undefined {
  const field = optional(object, key);
  return field && asString(field);
}

/**
 * Refuses keys that differ from a known key only in case. Go's encoding/json reads such a key as the known one, so a
 * Go program and another program could see two images in one document (CVE-2021-41190).
 * @throws ConversionError AMBIGUOUS.
 */
export function refuseLookAlikes(object: Field<RawObject>, known: ReadonlySet<string>): void {
  for (const { key } of object.value.members) {
    const meant = known.has(key) ? undefined : lookAlike(key, known);
    if (meant === undefined) continue;
    throw new ConversionError({
      code: 'AMBIGUOUS',
      message: 'A key can be taken for another one, as programs in Go do (CVE-2021-41190)',
      dialect: object.dialect,
      path: object.path,
      found: excerpt(key),
      expected: `"${meant}", or another key`,
    });
  }
}

function lookAlike(key: string, known: ReadonlySet<string>): string | undefined {
  return foldedKeys(known).get(fold(key));
}

/** Go also folds two letters beyond ASCII: ſ to s, and the Kelvin sign to k (which toLowerCase does too). */
function fold(key: string): string {
  return key.replaceAll('ſ', 's').toLowerCase();
}

const foldedSets = new WeakMap<ReadonlySet<string>, ReadonlyMap<string, string>>();

/** The keys of a set by their lower-case form. */
function foldedKeys(known: ReadonlySet<string>): ReadonlyMap<string, string> {
  const before = foldedSets.get(known);
  if (before) return before;
  const folded = new Map([...known].map((key) => [key.toLowerCase(), key]));
  foldedSets.set(known, folded);
  return folded;
}
