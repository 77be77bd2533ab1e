import { compact, type RawObject } from '../../json/document.ts';
import {
  asBoolean,
  asItems,
  asObject,
  asString,
  emptyObject,
  type Field,
  optional,
  optionalString,
} from '../../json/fields.ts';
import { compareUtf8 } from '../../json/go-map.ts';
import { goTime, zeroTime } from '../../json/go-time.ts';
import { encodeText, escapeHtml, quote } from '../../json/lossless-text.ts';
import { parseJson } from '../../json/parse.ts';

/**
 * Re-encodes the v1 JSON of a Docker before 1.8.3 through Go's structs: this adds fields that are not marked
 * `omitempty`, drops unknown fields and sorts all. Docker before 1.8.3 did so on every read. Docker from 1.10 on (moby,
 * image/v1/imagev1.go, `noFallbackMinVersion`) and skopeo do so before they make a config, so regshift must too, or the
 * image would have another id.
 * @returns the re-encoded JSON; the JSON of other Docker versions unchanged.
 * @throws ConversionError INVALID when a field has another type than the struct, as in Docker and skopeo.
 */
export function asDockerBefore183(image: Field<RawObject>): Field<RawObject> {
  const version = optionalString(image, 'docker_version') ?? '';
  if (version === '' || !isBefore183(version)) return image;
  const bytes = encodeText(encodeStruct(v1Image, image));
  const document = parseJson(bytes, { what: 'v1 image', dialect: 'schema1', keys: 'as Go' });
  return { ...asObject({ ...image, document, value: document.root }) };
}

/** Compares versions as moby's api/types/versions does: number by number; a part that is not a number counts as 0. */
function isBefore183(version: string): boolean {
  const parts = version.split('.').map((part) => (/^[+-]?[0-9]+$/.test(part) ? Number(part) : 0));
  for (const [index, other] of [1, 8, 3].entries()) {
    const part = parts[index] ?? 0;
    if (part !== other) return part < other;
  }
  return false;
}

/**
 * Encodes a member as Go encodes a field of one type. The argument is `undefined` for an absent or null member; the
 * result is `undefined` for a field to leave out.
 */
type Encode = (field: Field | undefined) => string | undefined;

const string: Encode = (field) => quote(field ? asString(field) : '');
const bool: Encode = (field) => String(field ? asBoolean(field) : false);
const time: Encode = (field) => quote((field && goTime(asString(field))) ?? zeroTime);
/** Copies a field that is newer than Docker 1.8.3, which Docker before 1.8.3 never wrote. */
const asWritten: Encode = (field) => field && escapeHtml(compact(field.document, field.value));
const strings: Encode = (field) => (field ? list(asItems(field).map(stringOrNull)) : 'null');
/** Encodes `strslice.StrSlice`, which can also be one string. */
const words: Encode = (field) => (field?.value.kind === 'string' ? `[${string(field)}]` : strings(field));
const set: Encode = (field) => map(field, () => '{}');
const stringMap: Encode = (field) => map(field, stringOrNull);

function unlessEmpty(encode: Encode): Encode {
  const zeros = ['""', 'false', 'null', '{}', '[]'];
  return (field) => {
    const json = encode(field);
    return json === undefined || zeros.includes(json) ? undefined : json;
  };
}

function stringOrNull(field: Field): string {
  return field.value.kind === 'null' ? '""' : quote(asString(field));
}

function list(items: readonly string[]): string {
  return `[${items.join(',')}]`;
}

/** Encodes a Go map: sorted by key, and null if nil. */
function map(field: Field | undefined, encode: (member: Field) => string): string {
  if (!field) return 'null';
  const object = asObject(field);
  const entries = object.value.members.map(
    ({ key, value }) => [key, encode({ ...object, value, path: `${object.path}.${key}` })] as const,
  );
  const sorted = [...new Map(entries)].sort(([left], [right]) => compareUtf8(left, right));
  return `{${sorted.map(([key, json]) => `${quote(key)}:${json}`).join(',')}}`;
}

type Struct = readonly (readonly [name: string, encode: Encode])[];

/** Encodes the fields of a struct in order. */
function encodeStruct(struct: Struct, object: Field<RawObject>): string {
  const members = struct.flatMap(([name, encode]) => {
    const json = encode(optional(object, name));
    return json === undefined ? [] : [`${quote(name)}:${json}`];
  });
  return `{${members.join(',')}}`;
}

/** moby, api/types/container.Config. */
const containerConfig: Struct = [
  ['Hostname', string],
  ['Domainname', string],
  ['User', string],
  ['AttachStdin', bool],
  ['AttachStdout', bool],
  ['AttachStderr', bool],
  ['ExposedPorts', unlessEmpty(set)],
  ['Tty', bool],
  ['OpenStdin', bool],
  ['StdinOnce', bool],
  ['Env', strings],
  ['Cmd', words],
  ['Healthcheck', asWritten],
  ['ArgsEscaped', unlessEmpty(bool)],
  ['Image', string],
  ['Volumes', set],
  ['WorkingDir', string],
  ['Entrypoint', words],
  ['NetworkDisabled', unlessEmpty(bool)],
  ['MacAddress', unlessEmpty(string)],
  ['OnBuild', strings],
  ['Labels', stringMap],
  ['StopSignal', unlessEmpty(string)],
  ['StopTimeout', asWritten],
  ['Shell', unlessEmpty(words)],
];

/** moby, image.V1Image, less `id`, `parent` and `Size`, which a config does not keep. */
const v1Image: Struct = [
  ['comment', unlessEmpty(string)],
  ['created', time],
  ['container', unlessEmpty(string)],
  ['container_config', (field) => encodeStruct(containerConfig, field ? asObject(field) : emptyObject)],
  ['docker_version', unlessEmpty(string)],
  ['author', unlessEmpty(string)],
  ['config', (field) => field && encodeStruct(containerConfig, asObject(field))],
  ['architecture', unlessEmpty(string)],
  ['variant', unlessEmpty(string)],
  ['os', unlessEmpty(string)],
];
