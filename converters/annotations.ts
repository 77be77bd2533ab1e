import { compact, type RawDocument, type RawObject, type RawValue, stringValue } from './json/document.ts';
import { asObject, asString, type Field, optional } from './json/fields.ts';
import type { Json, JsonRecord } from './json/write.ts';

/** One label or annotation. */
export interface Label {
  /** A string value decoded; any other value as its JSON text. */
  readonly text: string;
  /** The value's JSON text as written, without white space. */
  readonly json: string;
}

/** Labels by key. OCI calls them annotations and allows only strings; a generic manifest's labels hold any JSON. */
export type Labels = ReadonlyMap<string, Label>;

export const noLabels: Labels = new Map();

export function stringLabel(text: string): Label {
  return { text, json: JSON.stringify(text) };
}

/** The labels as OCI annotations, which are strings: a label of another JSON type becomes its JSON text. */
export function annotationsOf(labels: Labels): JsonRecord | undefined {
  return entriesOf(labels, ({ text }) => text);
}

/** The labels as labels of a generic manifest, each in the JSON type that it had. */
export function labelsOf(labels: Labels): JsonRecord | undefined {
  return entriesOf(labels, ({ text, json }) => (json.startsWith('"') ? text : { raw: json.toWellFormed() }));
}

function entriesOf(labels: Labels, jsonOf: (label: Label) => Json): JsonRecord | undefined {
  if (labels.size === 0) return undefined;
  return { members: [...labels].map(([key, label]) => [key, jsonOf(label)]) };
}

/** Reads annotations (OCI image-spec 1.1, annotations.md). @throws ConversionError INVALID for a non-string value. */
export function readAnnotations(object: Field<RawObject>): Labels {
  return readMap(object, 'annotations', 'strings');
}

/** Reads the labels of a generic manifest or descriptor, which are any JSON (distribution proposals 62 and 993). */
export function readLabels(object: Field<RawObject>): Labels {
  return readMap(object, 'labels', 'any JSON');
}

/** Reads an object's members in the order written. An absent or null object has none. */
function readMap(object: Field<RawObject>, key: string, values: 'strings' | 'any JSON'): Labels {
  const field = optional(object, key);
  if (!field) return noLabels;
  const { document, value, path, dialect } = asObject(field);
  const labels = new Map<string, Label>();
  for (const each of value.members) {
    const field = { document, value: each.value, path: `${path}[${JSON.stringify(each.key)}]`, dialect };
    labels.set(each.key, values === 'strings' ? annotationOf(field) : new WrittenLabel(document, each.value));
  }
  return labels;
}

/** The label of an annotation. Go reads null as an empty string. @throws ConversionError INVALID for another type. */
function annotationOf(field: Field): Label {
  if (field.value.kind === 'null') return stringLabel('');
  if (field.value.kind !== 'string') asString(field);
  return new WrittenLabel(field.document, field.value);
}

/** A label of a document. Its text is decoded when it is used, because most conversions copy labels as written. */
class WrittenLabel implements Label {
  readonly #document: RawDocument;
  readonly #value: RawValue;

  constructor(document: RawDocument, value: RawValue) {
    this.#document = document;
    this.#value = value;
  }

  get text(): string {
    return this.#value.kind === 'string'
      ? stringValue(this.#document, this.#value)
      : this.json.toWellFormed();
  }

  get json(): string {
    return compact(this.#document, this.#value);
  }
}
