import { readSigningKey } from '../../../converters/crypto/signing-key.ts';
import { type Digest, digestOf, sha256Hex } from '../../../converters/digest.ts';
import { signSchema1 } from '../../../converters/formats/schema1/sign.ts';
import type { GoTime } from '../../../converters/json/go-time.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import { emptyContent, json, type SampleContent } from '../../../src/sample-registry/content.ts';
import { dockerList, schema2 } from '../../../src/sample-registry/docker.ts';
import { generic62 } from '../../../src/sample-registry/generic.ts';
import { amd64, arm64, type SampleImage, sampleImage } from '../../../src/sample-registry/image.ts';
import { ociIndex, ociManifest, zstdLayers } from '../../../src/sample-registry/oci.ts';
import { layerId, schema1Unsigned } from '../../../src/sample-registry/schema1.ts';
import { tar } from '../../../src/sample-registry/tar.ts';
import { testSigningKey } from '../signing-key.ts';
import { marker } from './markers.ts';

/** An image that a tag can name. In several repositories it has the same digests. */
export interface TestImage {
  readonly index: number;
  readonly kind: ImageKind;
  readonly root: Digest;
  readonly content: SampleContent;
  /** The bytes of all stored content and of the decompressed layers, by digest. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  /** All digests of the image in the registry, and those of its decompressed layers. */
  readonly digests: ReadonlySet<string>;
  /** The digests that a blob request can name. */
  readonly layers: readonly Digest[];
}

const builders = {
  schema2: (content: SampleContent, image: SampleImage) => schema2(content, image),
  'schema2-plain': (content: SampleContent, image: SampleImage) => schema2(content, image, 'none'),
  oci: (content: SampleContent, image: SampleImage) => ociManifest(content, image),
  'oci-zstd': (content: SampleContent, image: SampleImage) => ociManifest(content, image, zstdLayers),
  generic: (content: SampleContent, image: SampleImage) => generic62(content, image),
  list: (content: SampleContent, image: SampleImage, other: SampleImage) =>
    dockerList(
      content,
      [image, other].map((each) => ({ platform: each.platform, manifest: schema2(content, each) })),
    ),
  index: (content: SampleContent, image: SampleImage, other: SampleImage) =>
    ociIndex(
      content,
      [image, other].map((each) => ({ platform: each.platform, manifest: ociManifest(content, each) })),
    ),
  'index-zstd': (content: SampleContent, image: SampleImage, other: SampleImage) =>
    ociIndex(
      content,
      [image, other].map((each) => ({
        platform: each.platform,
        manifest: ociManifest(content, each, zstdLayers),
      })),
    ),
};

export type ImageKind = keyof typeof builders | 'schema1' | 'schema1-unsigned';
export const imageKinds = [...Object.keys(builders), 'schema1', 'schema1-unsigned'] as readonly ImageKind[];

/** Builds an image. All images share the base layer; the upper layer and the config hold the marker of this one. */
export async function buildImage(index: number, kind: ImageKind): Promise<TestImage> {
  const content = emptyContent();
  const images = [amd64, arm64].map((platform) =>
    marked(index, sampleImage(marker('image', index), platform)),
  );
  const [image, other] = images as [SampleImage, SampleImage];
  const root =
    kind === 'schema1' || kind === 'schema1-unsigned'
      ? await addSchema1(content, image, kind === 'schema1')
      : builders[kind](content, image, other).digest;
  const tars = images.flatMap(({ layers }) => layers.map((layer) => [layer.diffId, layer.tar] as const));
  const stored = [...content.manifests.values()].map(({ digest, bytes }) => [digest, bytes] as const);
  const blobs = new Map([...content.blobs, ...tars]);
  const layers = [...blobs].filter(([, bytes]) => bytes.length > 512).map(([digest]) => digest);
  const digests = new Set<string>([...blobs.keys(), ...content.manifests.keys()]);
  return { index, kind, root, content, blobs: new Map([...blobs, ...stored]), digests, layers };
}

/** Adds a layer that takes a while to read, and the marker in every text of the image. */
function marked(index: number, { platform, layers, config }: SampleImage): SampleImage {
  const text = marker('image', index);
  const filler = new Uint8Array(40_000).map((_, at) => (at * 31 + index * 7 + (at >> 9)) % 251);
  const bytes = tar([
    { kind: 'file', path: `${text}.txt`, content: new TextEncoder().encode(text) },
    { kind: 'file', path: 'filler', content: filler },
  ]);
  const own = { tar: bytes, diffId: digestOf(bytes), instruction: `#(nop) COPY ${text} in / ` };
  const all = [...layers, own].map((layer, at) =>
    at === 0 ? layer : { ...layer, instruction: `${layer.instruction} ${text}` },
  );
  const document = JSON.parse(new TextDecoder().decode(config)) as { config: object };
  const history = all.map(({ instruction }) => ({
    created: '2016-02-04T00:00:00Z',
    created_by: `/bin/sh -c ${instruction}`,
  }));
  const rootfs = { type: 'layers', diff_ids: all.map(({ diffId }) => diffId) };
  const runConfig = { ...document.config, Labels: { image: text } };
  return { platform, layers: all, config: json({ ...document, config: runConfig, history, rootfs }) };
}

/** Adds schema 1. Its ids differ from those of other images, except the base's. */
async function addSchema1(content: SampleContent, image: SampleImage, signed: boolean): Promise<Digest> {
  const draft = emptyContent();
  const { digest } = schema1Unsigned(draft, 'isolation/image', image);
  for (const [, bytes] of draft.blobs) content.addBlob('', bytes);
  let text = new TextDecoder().decode(draft.manifests.get(digest)?.bytes);
  for (let index = 1; index <= image.layers.length; index += 1)
    text = text.replaceAll(layerId(index), sha256Hex(new TextEncoder().encode(`${digest} ${index}`)));
  const payload = new TextEncoder().encode(text);
  if (!signed) return content.addManifest(mediaTypes.schema1, payload).digest;
  const key = await readSigningKey(JSON.stringify(testSigningKey));
  const bytes = await signSchema1(payload, key, '2016-02-04T00:00:00Z' as GoTime);
  return content.addManifest(mediaTypes.schema1Signed, bytes, payload).digest;
}
