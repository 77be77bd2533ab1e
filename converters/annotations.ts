import { compact, type RawObject, stringValue } from './json/document.ts';
import { asObject, asString, type Field, optional } from './json/fields.ts';
import type { Json, JsonRecord } from './json/write.ts';

/** One label or annotation. */
export interface Label {
  /** The string, or the JSON text of a value that is none. */
  readonly text: string;
  /** JSON text, as it was written less white space. */
  readonly json: string;
}

/** OCI calls them annotations and allows strings alone; the generic manifest's labels hold any JSON. */
export type Labels = ReadonlyMap<string, Label>;

export const noLabels: Labels = new Map();

export function stringLabel(text: string): Label {
  return { text, json: JSON.stringify(text) };
}

/** As annotations: all strings, so that a label of another kind goes in as its JSON text. */
export function annotationsOf(labels: Labels): JsonRecord | undefined {
  return entriesOf(labels, ({ text }) => text);
}

/** As labels, with what is no string in the JSON that it was. */
export function labelsOf(labels: Labels): JsonRecord | undefined {
  return entriesOf(labels, ({ text, json }) => (json.startsWith('"') ? text : { raw: json.toWellFormed() }));
}

function entriesOf(labels: Labels, jsonOf: (label: Label) => Json): JsonRecord | undefined {
  if (labels.size === 0) return undefined;
  return { members: [...labels].map(([key, label]) => [key, jsonOf(label)]) };
}

/** @throws ConversionError INVALID when a value is no string (OCI image-spec 1.1, annotations.md). */
export function readAnnotations(object: Field<RawObject>): Labels {
  return readMap(object, 'annotations', (field) => asString(field));
}

/** Labels of a generic manifest or descriptor: any JSON (distribution proposals 62 and 993). */
export function readLabels(object: Field<RawObject>): Labels {
  return readMap(object, 'labels', ({ document, value }) =>
    value.kind === 'string' ? stringValue(document, value) : compact(document, value).toWellFormed(),
  );
}

/** In the order written; absent or null is none. */
function readMap(object: Field<RawObject>, key: string, textOf: (field: Field) => string): Labels {
  const field = optional(object, key);
  if (!field) return noLabels;
  const { document, value, path, dialect } = asObject(field);
  return new Map(
    value.members.map((each) => {
      const member = { document, value: each.value, path: `${path}[${JSON.stringify(each.key)}]`, dialect };
      return [each.key, { text: textOf(member), json: compact(document, each.value) }];
    }),
  );
}
