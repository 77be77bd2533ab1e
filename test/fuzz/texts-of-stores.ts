import { readSigningKey } from '../../converters/crypto/signing-key.ts';
import { digestOf } from '../../converters/digest.ts';
import { decodeEntry, encodeEntry } from '../../src/cache/entry-codec.ts';
import { createUploadLocations } from '../../src/client-state/upload-location.ts';
import { openToken, sealToken } from '../../src/client-state/v1-token.ts';
import { RegistryError } from '../../src/errors.ts';
import { s3ErrorIn } from '../../src/layers/store/s3/s3-error.ts';
import { xmlElements, xmlText } from '../../src/layers/store/s3/xml.ts';
import { isIntact, kindOf } from '../../src/registry/cache-entries.ts';
import { createEntryAuthenticator } from '../../src/runtime/node/redis/authenticated-entry.ts';
import { testSigningKey } from '../support/signing-key.ts';
import type { Vocabulary } from './generate.ts';
import { generateJson } from './generate.ts';
import { hold, same, type TextTarget } from './text-target.ts';

const encoder = new TextEncoder();
const digest = digestOf(encoder.encode('{}'));
const key = new Uint8Array(32).fill(7);
const now = new Date(0);

/** Bytes as text, one character a byte, and back. */
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

const manifestRecipe = {
  ...{ product: 'manifest', converters: 1, root: digest, source: digest, sourceType: 'a/b', kind: 'image' },
  ...{ form: 'schema1', tag: 'latest', unpackZstd: true, layersOf: '' },
};
const facts = [
  { recipe: manifestRecipe },
  { recipe: { product: 'config', converters: 1, root: digest, manifest: manifestRecipe } },
  { recipe: { product: 'layer', converters: 1, root: digest, packed: digest, size: 3 } },
  { compression: 'zstd', packedSize: 1, size: 2, diffId: digest },
  { compression: 'gzip' },
  { labels: 'wrong' },
  { contentType: 'application/json' },
  {
    ...{ form: 'oci', mediaType: 'a/b', digest, source: digest, sourceType: 'a/b', losses: [] },
    recipes: [[digest, { recipe: manifestRecipe }]],
  },
];
const kinds = [
  'recipe',
  'product',
  'manifest',
  'made-config',
  'blob',
  'layer-facts',
  'compression',
  'labels',
  'x',
];

/** Checks that an entry of any kind is taken or left, and never fails its reader. @returns the kinds that take it. */
function judgeEntry(entry: NonNullable<ReturnType<typeof decodeEntry>>): string {
  return kinds.filter((kind) => isIntact(`${kind} registry.test a/b ${digest}`, entry)).join();
}

const words: Vocabulary = {
  keys: [
    ...[
      'recipe',
      'product',
      'converters',
      'root',
      'source',
      'sourceType',
      'kind',
      'form',
      'tag',
      'unpackZstd',
    ],
    ...[
      'layersOf',
      'packed',
      'size',
      'packedSize',
      'diffId',
      'compression',
      'labels',
      'contentType',
      'mediaType',
      'digest',
    ],
    ...[
      'losses',
      'recipes',
      'manifest',
      'flatten',
      'dropAttestations',
      '__proto__',
      'constructor',
      'toString',
    ],
  ],
  scalars: [
    ...[
      null,
      true,
      false,
      0,
      -1,
      1.5,
      2 ** 53,
      '',
      digest,
      'sha256:x',
      'manifest',
      'config',
      'layer',
      'gzip',
    ],
    ...['zstd', 'none', 'unknown', 'schema1', 'oci', 'image', 'index', 'also', 'alone', 'constructor'],
  ],
};

const authenticator = await createEntryAuthenticator(await readSigningKey(JSON.stringify(testSigningKey)));
const sealed = authenticator.seal('recipe a', { facts: { a: 1 }, body: encoder.encode('body') });
const locations = createUploadLocations(
  async () => ({ context: key, token: key, upload: key, list: key }),
  () => now,
);
const repository = 'team/app' as Parameters<typeof locations.seal>[1];
const token = await sealToken({ repository, authorization: 'Basic eDp5' }, key, 'all', now);
const location = await locations.seal('https://storage.test/upload?sig=1', repository);

/** The decoded parts of a compact JWE. Base64url has some spellings for the same bytes. */
const parts = (text: string) => text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));

export const storeTargets: Readonly<Record<string, TextTarget>> = {
  cacheentry: {
    seeds: facts.map((each) => textOf(encodeEntry({ facts: each, body: encoder.encode('{}') }))),
    check(text) {
      const entry = decodeEntry(bytesOf(text));
      if (entry === undefined) return 'no entry';
      const again = decodeEntry(encodeEntry(entry));
      hold(same(again?.facts, entry.facts), 'the same facts again');
      hold(Buffer.from(again?.body ?? []).equals(entry.body), 'the same body again');
      return judgeEntry(entry);
    },
  },

  cachefacts: {
    seeds: facts.map((each) => JSON.stringify(each)),
    generate: generateJson(words),
    check(text) {
      const json = encoder.encode(text);
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, json.length);
      const entry = decodeEntry(new Uint8Array(Buffer.concat([length, json, encoder.encode('{}')])));
      return entry === undefined ? 'no entry' : judgeEntry(entry);
    },
  },

  cachekey: {
    seeds: ['recipe a b', '', ' ', 'manifest', 'product  x'],
    check(text) {
      hold(!kindOf(text).includes(' '), 'a kind');
      isIntact(text, { facts: {}, body: new Uint8Array() });
    },
  },

  redisentry: {
    seeds: [textOf(sealed), textOf(sealed.subarray(0, 40)), ''],
    check(text) {
      const bytes = bytesOf(text);
      const entry = authenticator.open('recipe a', bytes);
      hold(entry === undefined || sealed.equals(bytes), 'that only what was sealed is opened');
      hold(authenticator.open('recipe b', bytes) === undefined, 'that an entry has one name');
    },
  },

  token: {
    seeds: [token, 'a.b.c.d.e', '', token.slice(0, -1)],
    async check(text) {
      const opened = await openToken(text, key, now);
      hold(opened === undefined || same(parts(text), parts(token)), 'that only what was sealed is opened');
    },
  },

  uploadlocation: {
    seeds: [location, `elsewhere.${token}`, 'elsewhere.', location.slice(0, -1)],
    async check(text) {
      const opened = await locations.open(text, repository).catch((error: unknown) => {
        if (error instanceof RegistryError) return undefined;
        throw error;
      });
      hold(
        opened === undefined || same(parts(text.slice(10)), parts(location.slice(10))),
        'that only what was sealed is opened',
      );
    },
  },

  s3xml: {
    seeds: [
      '<?xml version="1.0"?><Error><Code>NoSuchBucket</Code><Message>The bucket is not there</Message></Error>',
      '<Error><Code>AccessDenied</Code></Error>',
      '<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a&amp;b&#x20;&#33;</Key><Size>3</Size></Contents></ListBucketResult>',
      '<Error xmlns="x"><Code> </Code><Message>&lt;&unknown;</Message></Error>',
      '<Error><Code>toString</Code><Message>x</Message></Error>',
    ],
    check(text) {
      const attempt = { method: 'GET', host: 'bucket.test', secrets: ['AKIA'] };
      const { message } = s3ErrorIn(text, attempt) ?? {};
      hold(
        !/\[object|native code|\bundefined\b(?!.*undefined)/.test(message?.replace(text, '') ?? ''),
        `words for people: ${message}`,
      );
      for (const name of ['Contents', 'Key', 'Code'])
        for (const element of xmlElements(text, name)) hold(text.includes(element), 'a part of the text');
      xmlText(text, 'Key');
      return message?.replace(/:.*/s, '');
    },
  },
};
