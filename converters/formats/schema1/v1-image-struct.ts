import { compact, type RawObject } from '../../json/document.ts';
import { asBoolean, asItems, asObject, asString, type Field, optionalString } from '../../json/fields.ts';
import { compareUtf8 } from '../../json/go-map.ts';
import { goTime, zeroTime } from '../../json/go-time.ts';
import { encodeText, escapeHtml, quote } from '../../json/lossless-text.ts';
import { parseJson } from '../../json/parse.ts';

/**
 * The v1 JSON of a Docker before 1.8.3 went through Go's structs whenever such a Docker read it, which adds fields
 * that are not marked `omitempty`, drops unknown ones and sorts all. Docker from 1.10 on (moby, image/v1/imagev1.go,
 * `noFallbackMinVersion`) and skopeo do the same before they make a config of it: without it, the image would have
 * another id here than there. Of others the JSON is given back as it is.
 * @throws ConversionError INVALID where a field is not of the struct's type, as they do.
 */
export function asDockerOf2015(image: Field<RawObject>): Field<RawObject> {
  const version = optionalString(image, 'docker_version') ?? '';
  if (version === '' || !isBefore183(version)) return image;
  const bytes = encodeText(encodeStruct(v1Image, image));
  const document = parseJson(bytes, { what: 'v1 image', dialect: 'schema1', duplicates: 'keep' });
  return { ...asObject({ ...image, document, value: document.root }) };
}

/** As moby's api/types/versions: number by number, what is no number counts as 0. */
function isBefore183(version: string): boolean {
  const parts = version.split('.').map((part) => (/^[+-]?[0-9]+$/.test(part) ? Number(part) : 0));
  for (const [index, other] of [1, 8, 3].entries()) {
    const part = parts[index] ?? 0;
    if (part !== other) return part < other;
  }
  return false;
}

/** A value of Go in JSON, from what was read (nothing where it was absent or null); `undefined` is left out. */
type Encode = (field: Field | undefined) => string | undefined;

const string: Encode = (field) => quote(field ? asString(field) : '');
const bool: Encode = (field) => String(field ? asBoolean(field) : false);
const time: Encode = (field) => quote((field && goTime(asString(field))) ?? zeroTime);
/** For what came after 1.8.3: kept as it is, because no Docker of the time wrote it. */
const asWritten: Encode = (field) => field && escapeHtml(compact(field.document, field.value));
const strings: Encode = (field) => (field ? list(asItems(field).map(stringOrNull)) : 'null');
/** `strslice.StrSlice`: one string will do. */
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

/** A Go map: sorted by key; nil is null. */
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

/** A struct's fields in its order. Go matches keys in any case; of several the last wins. */
function encodeStruct(struct: Struct, object: Field<RawObject>): string {
  const members = struct.flatMap(([name, encode]) => {
    const found = object.value.members.findLast(({ key }) => key.toLowerCase() === name.toLowerCase());
    const present = found && found.value.kind !== 'null';
    const field = present ? { ...object, value: found.value, path: `${object.path}.${name}` } : undefined;
    const json = encode(field);
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
  ['container_config', (field) => encodeStruct(containerConfig, field ? asObject(field) : nothing)],
  ['docker_version', unlessEmpty(string)],
  ['author', unlessEmpty(string)],
  ['config', (field) => field && encodeStruct(containerConfig, asObject(field))],
  ['architecture', unlessEmpty(string)],
  ['variant', unlessEmpty(string)],
  ['os', unlessEmpty(string)],
];

const nothing: Field<RawObject> = {
  document: { text: '{}', root: { kind: 'object', start: 0, end: 2, members: [] } },
  value: { kind: 'object', start: 0, end: 2, members: [] },
  path: '$',
  dialect: 'schema1',
};
