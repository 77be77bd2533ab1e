import { concatenate } from '../../converters/bytes.ts';
import { mediaTypes } from '../../converters/index.ts';
import type { Random } from './random.ts';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const digests = ['a', 'b', 'c'].map((each) => `sha256:${each.repeat(64)}`);

/** Member names that some dialect gives a meaning. */
const manifestKeys = [
  ...[
    'schemaVersion',
    'mediaType',
    'config',
    'layers',
    'manifests',
    'target',
    'dependencies',
    'annotations',
    'labels',
  ],
  ...[
    'subject',
    'artifactType',
    'fsLayers',
    'history',
    'signatures',
    'name',
    'tag',
    'architecture',
    'os',
    'variant',
  ],
  ...[
    'digest',
    'size',
    'length',
    'urls',
    'data',
    'platform',
    'os.version',
    'os.features',
    'features',
    'blobSum',
  ],
  ...[
    'v1Compatibility',
    'id',
    'parent',
    'throwaway',
    'Size',
    'created',
    'created_by',
    'comment',
    'author',
    'Cmd',
  ],
  ...[
    'empty_layer',
    'rootfs',
    'diff_ids',
    'base_layer',
    'type',
    'container_config',
    'docker_version',
    'Env',
    'Labels',
  ],
  ...[
    'header',
    'jwk',
    'alg',
    'kid',
    'kty',
    'crv',
    'x',
    'y',
    'protected',
    'signature',
    'formatLength',
    'formatTail',
  ],
  ...[
    'Layers',
    'digeſt',
    '__proto__',
    'constructor',
    'toString',
    '',
    '10',
    'vnd.docker.reference.type',
    'arch',
  ],
];

const manifestScalars: readonly Json[] = [
  ...[
    null,
    true,
    false,
    0,
    1,
    2,
    -1,
    1.5,
    1e21,
    2 ** 60,
    '',
    ' ',
    'a'.repeat(64),
    'linux',
    'unknown',
    'amd64',
  ],
  ...[
    '2015-11-20T12:00:00.10Z',
    '2015-11-20 12:00:00',
    '0000-00-00T00:00:00Z',
    '9999-12-31T23:59:59-23:59',
    '1.7.1',
  ],
  ...[
    '<&>\u2028',
    '\ud800',
    'é\u0000',
    '[]',
    '{}',
    'attestation-manifest',
    'application/octet-stream',
    'windows',
  ],
  ...[
    ...digests,
    'sha256:xyz',
    'sha512:0',
    'ES256',
    'RS256',
    'Cn0',
    'text/plain; charset=utf-8',
    'constructor',
  ],
  ...Object.values(mediaTypes),
];

/** Member names and values that some reader gives a meaning. */
export interface Vocabulary {
  readonly keys: readonly string[];
  readonly scalars: readonly Json[];
}

const manifests: Vocabulary = { keys: manifestKeys, scalars: manifestScalars };

/** Makes a document that may break a reader out of documents that do not. */
export function generate(random: Random, seeds: readonly Uint8Array[], words = manifests): Uint8Array {
  const kind = random.below(100);
  if (kind < 2) return Uint8Array.from({ length: random.below(64) }, () => random.below(256));
  if (kind < 35) return brokenBytes(random, seeds, words);
  const seed = kind < 85 ? parsed(random.one(seeds)) : made(random, 4, words);
  let tree = seed ?? made(random, 4, words);
  for (let count = 1 + random.below(4); count > 0; count -= 1) tree = changed(random, tree, words);
  return laidOut(random, tree);
}

function brokenBytes(random: Random, seeds: readonly Uint8Array[], words: Vocabulary): Uint8Array {
  let bytes = random.one(seeds);
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const start = random.below(bytes.length + 1);
    const cut = random.oneIn(2) ? 0 : random.below(12);
    bytes = concatenate([bytes.subarray(0, start), piece(random, seeds, words), bytes.subarray(start + cut)]);
  }
  return bytes;
}

function piece(random: Random, seeds: readonly Uint8Array[], { scalars }: Vocabulary): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return Uint8Array.of(random.below(256));
    case 1: {
      const other = random.one(seeds);
      const start = random.below(other.length);
      return other.subarray(start, start + random.below(60));
    }
    case 2:
      return encoder.encode(
        random.one([
          '"',
          '\\',
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '\\u00e9',
          '\\ud800',
          '-',
          'e9',
          '\n',
          '"a":1,',
        ]),
      );
    default:
      return encoder.encode(JSON.stringify(random.one(scalars)));
  }
}

function parsed(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(decoder.decode(bytes)) as Json;
  } catch {
    return undefined;
  }
}

function made(random: Random, depth: number, words: Vocabulary): Json {
  const { keys, scalars } = words;
  if (depth === 0 || random.oneIn(4)) return random.one(scalars);
  const length = random.below(5);
  if (random.oneIn(3)) return Array.from({ length }, () => made(random, depth - 1, words));
  return fromEntries(Array.from({ length }, () => [random.one(keys), made(random, depth - 1, words)]));
}

/** Changes one place of a tree; deep places are as likely as shallow ones. */
function changed(random: Random, tree: Json, words: Vocabulary): Json {
  const { keys, scalars } = words;
  if (typeof tree === 'string' && tree.startsWith('{') && random.oneIn(2))
    return changedInside(random, tree, words);
  if (typeof tree !== 'object' || tree === null || random.oneIn(9)) {
    return random.oneIn(4) ? made(random, 2, words) : random.one(scalars);
  }
  if (Array.isArray(tree)) return changedArray(random, tree, words);
  const entries = Object.entries(tree);
  const at = random.below(entries.length + 1);
  const entry = entries[at];
  if (!entry || random.oneIn(8)) return fromEntries([...entries, [random.one(keys), made(random, 2, words)]]);
  const [key, value] = entry;
  if (random.oneIn(12)) return fromEntries(entries.toSpliced(at, 1));
  if (random.oneIn(16)) return fromEntries(entries.toSpliced(at, 1, [random.one(keys), value]));
  return fromEntries(entries.toSpliced(at, 1, [key, changed(random, value, words)]));
}

function changedArray(random: Random, items: readonly Json[], words: Vocabulary): Json {
  const at = random.below(items.length);
  const item = items[at];
  if (item === undefined || random.oneIn(10)) return [...items, made(random, 2, words)];
  if (random.oneIn(10)) return items.toSpliced(at, 1);
  if (random.oneIn(10)) return [...items, item];
  return items.toSpliced(at, 1, changed(random, item, words));
}

/** Changes JSON in a string, like v1Compatibility. */
function changedInside(random: Random, text: string, words: Vocabulary): Json {
  const inside = parsed(encoder.encode(text));
  return inside === undefined ? text.slice(1) : JSON.stringify(changed(random, inside, words));
}

/** Builds an object in which `__proto__` is a key like any other. */
function fromEntries(entries: readonly (readonly [string, Json])[]): Json {
  return Object.fromEntries(entries);
}

function laidOut(random: Random, tree: Json): Uint8Array {
  const text = JSON.stringify(tree, null, random.one(['', '', '  ', '   ', '\t']));
  if (random.oneIn(20)) return encoder.encode(text.replaceAll('\n', '\r\n'));
  return encoder.encode(random.oneIn(20) ? ` ${text}\n` : text);
}

/** Makes a text of JSON that may break a reader out of texts that do not. */
export function generateJson(words: Vocabulary) {
  return (random: Random, seeds: readonly string[]): string =>
    decoder.decode(
      generate(
        random,
        seeds.map((text) => encoder.encode(text)),
        words,
      ),
    );
}
