import { generateSigningKey } from '../../converters/crypto/signing-key.ts';
import { digestOf } from '../../converters/digest.ts';
import { signSchema1 } from '../../converters/formats/schema1/sign.ts';
import { zeroTime } from '../../converters/json/go-time.ts';
import { limits } from '../../converters/limits.ts';
import { mediaTypes } from '../../converters/media-types.ts';

/** A document in a registry, and the documents that it names. */
export interface HostileDocument {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly children?: readonly HostileDocument[];
}

const encoder = new TextEncoder();
const { ociManifest, ociIndex, ociConfig, ociLayerGzip, schema1, schema1Signed, schema2 } = mediaTypes;

function document(
  type: string,
  content: object | string,
  children?: readonly HostileDocument[],
): HostileDocument {
  const bytes = encoder.encode(typeof content === 'string' ? content : JSON.stringify(content));
  return children ? { type, bytes, children } : { type, bytes };
}

function descriptorOf({ type, bytes }: HostileDocument) {
  return { mediaType: type, digest: digestOf(bytes), size: bytes.length };
}

const id = (number: number) => number.toString(16).padStart(64, '0');
const times = <Made>(count: number, make: (index: number) => Made) =>
  Array.from({ length: count }, (_, index) => make(index));
const annotations = (count: number) =>
  Object.fromEntries(times(count, (index) => [`org.example.key${index}`, `v${index}`]));
const layer = (number: number) => ({ mediaType: ociLayerGzip, digest: `sha256:${id(number)}`, size: 10 });

const platform = { os: 'linux', architecture: 'amd64' };
const config = (more: object) =>
  document(ociConfig, {
    ...platform,
    created: '2020-01-01T00:00:00Z',
    rootfs: { type: 'layers', diff_ids: [`sha256:${id(1)}`] },
    ...more,
  });
const plainConfig = config({ history: [{ created: '2020-01-01T00:00:00Z', created_by: 'make' }] });

function image(more: object = {}, of: HostileDocument = plainConfig): HostileDocument {
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: descriptorOf(of),
    layers: [layer(1)],
    ...more,
  };
  return document(ociManifest, manifest, [of]);
}

const withHistory = (count: number, createdBy: string) =>
  image(
    {},
    config({
      history: times(count, (index) => ({
        created: '2020-01-01T00:00:00Z',
        created_by: createdBy,
        ...(index > 0 ? { empty_layer: true } : {}),
      })),
    }),
  );

function index(images: readonly HostileDocument[]): HostileDocument {
  const manifests = images.map((each, number) => ({
    ...descriptorOf(each),
    platform: { os: 'linux', architecture: number === 0 ? 'amd64' : `other${number}` },
  }));
  return document(ociIndex, { schemaVersion: 2, mediaType: ociIndex, manifests }, images);
}

function schema1Of(count: number, compatibility: (index: number) => string): HostileDocument {
  return document(schema1, {
    schemaVersion: 1,
    name: 'a',
    tag: 'b',
    architecture: 'amd64',
    fsLayers: times(count, (number) => ({ blobSum: `sha256:${id(number)}` })),
    history: times(count, (number) => ({ v1Compatibility: compatibility(number) })),
  });
}

const full = limits.documentBytes - 2_000;
/** A text whose JSON has almost as many bytes as a document may have. */
const text = (escaped: string, bytes = full) => escaped.repeat(bytes / escaped.length);
/** JSON of an image whose annotation is a text as written. */
const annotated = (written: string) => {
  const { bytes, children = [] } = image({ annotations: { key: '@' } });
  return document(
    ociManifest,
    new TextDecoder().decode(bytes).replace('@', () => written),
    children,
  );
};
/** The command of the base, as written; schema 1 has it beside the config, which is in the top entry. */
const commanded = (written: string) => {
  const created = '2020-01-01T00:00:00Z';
  const { bytes } = config({
    history: [
      { created, created_by: '@' },
      { created, empty_layer: true },
    ],
  });
  return image(
    {},
    document(
      ociConfig,
      new TextDecoder().decode(bytes).replace('@', () => written),
    ),
  );
};

/** Values that a document may have besides those of the image. */
const most = limits.jsonValues - 100;

/** The worst documents of each kind, by the kind of their content; at the limits, and beyond them. */
export const hostileImages = {
  '120,000 annotations': () => image({ annotations: annotations(120_000) }),
  'as many annotations as are read': () => image({ annotations: annotations(most) }),
  'as many unknown keys as are read': () => image(annotations(most)),
  'as many URLs as are read': () => image({ layers: [{ ...layer(1), urls: times(most, () => 'http://a') }] }),
  'an index of 60 images with as many annotations as are read': () =>
    index(
      times(60, (number) => image({ annotations: { ...annotations(most - 1), number: String(number) } })),
    ),
  'an index of 1,000 images': () =>
    index(times(1_000, (number) => image({ annotations: { number: String(number) } }))),
  'an image of 1,000 layers': () => image({ layers: times(1_000, layer) }),
  'an image of 20,000 layers': () => image({ layers: times(20_000, layer) }),
  'an annotation of line feeds': () => annotated(text('\\n')),
  'an annotation of escaped letters': () => annotated(text('\\u0041')),
  'an annotation of lone surrogates': () => annotated(text('\\ud800')),
  'an annotation of quotes': () => annotated(text('\\"')),
  'a command of angle brackets': () => commanded(text('<')),
  'a command of as many angle brackets as are written': () => commanded(text('<', full / 8)),
  'a command of backspaces': () => commanded(text('\\b')),
  'a command of as many backspaces as are written': () => commanded(text('\\b', full / 4)),
  'a command of letters': () => commanded(text('a')),
  'a history of 100,000 entries': () => withHistory(100_000, 'a'),
  'a history of as many entries as are read': () => withHistory(Math.floor(most / 5), 'a'),
  'brackets in brackets': () => document(ociManifest, '['.repeat(1_000_000)),
  'line feeds and no JSON': () => document(ociManifest, `${'\n'.repeat(full)}x`),
  'bytes that are not UTF-8': () => ({
    type: ociManifest,
    bytes: new Uint8Array(full).fill(0xff).fill(0x22, 0, 1),
  }),
  'a schema 1 manifest of 40,000 layers': () => schema1Of(40_000, () => '{}'),
  'a schema 1 manifest of 1,000 layers with many values each': () =>
    schema1Of(1_000, (number) =>
      JSON.stringify({
        id: id(number),
        parent: number < 999 ? id(number + 1) : '',
        config: Array(1_800).fill(0),
      }),
    ),
  'a schema 1 manifest with long texts': () =>
    schema1Of(100, (number) =>
      JSON.stringify({
        id: id(number),
        parent: number < 99 ? id(number + 1) : '',
        comment: '\n'.repeat(full / 400),
      }),
    ),
  'a schema 1 manifest of 4 MiB with as many signatures as are read': async () => {
    const { bytes } = schema1Of(1, () => JSON.stringify({ id: id(0), comment: 'a'.repeat(full - 40_000) }));
    const keys = await Promise.all(times(limits.signatures, generateSigningKey));
    return { type: schema1Signed, bytes: await signSchema1(bytes, keys, zeroTime) };
  },
  'a document with another type than its own': () => ({
    ...image({ annotations: annotations(most) }),
    type: schema2,
  }),
} satisfies Readonly<Record<string, () => HostileDocument | Promise<HostileDocument>>>;
