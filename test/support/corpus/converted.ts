import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, mediaTypes } from '../../../converters/index.ts';
import type { TestApp } from '../app.ts';
import type { PushManifest } from '../push.ts';
import { childrenOf } from '../sample-tree.ts';
import { readSignedSchema1 } from '../signed-schema1.ts';
import type { CorpusImage } from './corpus.ts';
import { type CorpusForm, corpusClients } from './outcomes.ts';

/** An image of the corpus in one form, with all content that it names. */
export interface ConvertedImage {
  readonly image: CorpusImage;
  readonly form: CorpusForm;
  /** Children first; the last one is what the tag names. */
  readonly manifests: readonly PushManifest[];
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

/** Pulls everything of an image in one form, as a client that copies images does. */
export async function convertedImage(
  image: CorpusImage,
  form: CorpusForm,
  app: TestApp,
): Promise<ConvertedImage> {
  const manifests = new Map<string, PushManifest>();
  const blobs = new Map<Digest, Uint8Array>();
  const get = async (path: string) => {
    const response = await app.get(`/v2/${image.repository}/${path}`, corpusClients[form]);
    if (response.status !== 200) throw new Error(`${image.repository} ${path}: ${response.status}`);
    return { bytes: response.body, mediaType: response.header('content-type') ?? '' };
  };
  const visit = async (reference: string): Promise<void> => {
    const manifest = await get(`manifests/${reference}`);
    for (const child of childrenOf(manifest.bytes)) {
      if (/index|list/.test(manifest.mediaType)) await visit(child);
      else blobs.set(child, (await get(`blobs/${child}`)).bytes);
    }
    manifests.set(reference, manifest);
  };
  await visit('latest');
  return { image, form, manifests: [...manifests.values()], blobs };
}

const sha256Hex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** The digest of a manifest by Node's hash. A signature of schema 1 does not belong to it. */
export function digestOfManifest(bytes: Uint8Array): string {
  const isSigned = new TextDecoder().decode(bytes).includes('"signatures"');
  return `sha256:${sha256Hex(isSigned ? readSignedSchema1(bytes).payload : bytes)}`;
}

/** An image in an OCI layout, by its tag there. */
export interface LaidOutImage {
  readonly tag: string;
  /** The digests of its layers in the manifest, base first. */
  readonly layers: readonly string[];
}

/** Writes OCI images into one OCI layout (image-spec, image-layout.md). Indexes are left out. */
export async function writeLayout(
  folder: string,
  images: readonly ConvertedImage[],
): Promise<readonly LaidOutImage[]> {
  const blobFolder = join(folder, 'blobs/sha256');
  await mkdir(blobFolder, { recursive: true });
  const entries: object[] = [];
  const laidOut: LaidOutImage[] = [];
  for (const [position, { manifests, blobs }] of images.entries()) {
    const manifest = manifests.at(-1);
    if (manifest?.mediaType !== mediaTypes.ociManifest) continue;
    const { bytes, mediaType } = manifest;
    for (const each of [bytes, ...blobs.values()]) await writeFile(join(blobFolder, sha256Hex(each)), each);
    const tag = `image-${position}`;
    const annotations = { 'org.opencontainers.image.ref.name': tag };
    entries.push({ mediaType, digest: digestOfManifest(bytes), size: bytes.length, annotations });
    const { layers } = JSON.parse(new TextDecoder().decode(bytes));
    laidOut.push({ tag, layers: layers.map(({ digest }: { digest: string }) => digest) });
  }
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: entries }));
  return laidOut;
}
