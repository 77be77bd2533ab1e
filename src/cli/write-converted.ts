import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Converted } from '../../converters/conversion.ts';
import { type Digest, digestAlgorithm, digestHex } from '../../converters/digest.ts';
import type { Loss } from '../../converters/model.ts';
import { readManifest } from '../../converters/read.ts';
import type { ConvertedV1 } from '../../converters/registry-v1/convert.ts';
import { v1ImageJson } from '../../converters/registry-v1/write.ts';
import type { DerivedBlob } from '../../converters/steps/step.ts';
import { defaultUnpackLimits } from '../layers/bomb.ts';
import { unpack } from '../layers/unpack.ts';
import { verified } from '../layers/verified.ts';
import { createNodeLayerCodec } from '../runtime/node/layer-codec.ts';
import { type FileStore, streamOf } from './file-store.ts';
import { harmless, type Io, printJson } from './io.ts';
import { UsageError } from './usage.ts';

interface Destination {
  readonly out?: string | undefined;
  readonly json?: true | undefined;
}

/** To standard output, to a file, or with all that belongs to it into an OCI layout. */
export async function writeConverted(
  converted: Converted,
  { out, json }: Destination,
  store: FileStore,
  io: Io,
): Promise<void> {
  const whole = [converted, ...below(converted)];
  if (out !== undefined && isFolder(out)) await writeLayout(out, converted, store);
  else if (whole.length > 1 || converted.blobs.length > 0) {
    throw new UsageError(
      'More than a manifest comes of this (configs, layers or manifests below it): name a folder by --out folder/',
    );
  } else if (out === undefined) io.write(converted.body);
  else writeFileSync(out, converted.body);
  const { kind, form, mediaType, digest, body, source } = converted;
  const losses = whole.flatMap((each) => each.losses.map((loss) => ({ manifest: each.source, ...loss })));
  const facts = { kind, form, mediaType, digest, size: body.length, source };
  if (json) printJson(io, { ...facts, out, losses });
  else
    tellOf(`${digest}  ${mediaType}  ${body.length} bytes`, losses, out === undefined ? io.tell : io.write);
}

/** Registry API v1 has no manifest: a JSON for each image, and the list of all. */
export function writeV1({ images, losses }: ConvertedV1, { out, json }: Destination, io: Io): void {
  const ids = images.map(({ id }) => id);
  const listed = images.map(({ id, parent, blob, empty, json: text }) => ({
    id,
    parent,
    layer: blob,
    empty,
    json: text,
  }));
  if (out === undefined) {
    printJson(io, listed);
    tellOf(`${ids[0]}  registry API v1, ${ids.length} images`, losses, io.tell);
    return;
  }
  for (const image of images) put(join(out, 'images', image.id, 'json'), v1ImageJson(image));
  put(join(out, 'ancestry'), JSON.stringify(ids));
  put(join(out, 'layers'), JSON.stringify(Object.fromEntries(images.map(({ id, blob }) => [id, blob]))));
  if (json) printJson(io, { form: 'v1', id: ids[0], images: ids, out, losses });
  else tellOf(`${ids[0]}  registry API v1, ${ids.length} images`, losses, io.write);
}

function tellOf(first: string, losses: readonly Loss[], tell: (text: string) => void): void {
  const lines = losses.map(({ path, reason }) => `lost: ${path} ${reason}`);
  tell([first, ...lines].map((line) => `${harmless(line)}\n`).join(''));
}

function below({ children }: Converted): Converted[] {
  return children.flatMap((child) => [child, ...below(child)]);
}

function isFolder(path: string): boolean {
  return /[\\/]$/.test(path) || (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
}

/** An OCI layout names content by the digest of its bytes; signed schema 1 has another, so it lies beside it. */
async function writeLayout(folder: string, converted: Converted, store: FileStore): Promise<void> {
  const { digest, mediaType, body, form } = converted;
  for (const child of below(converted)) put(blobPath(folder, child.digest), child.body);
  for (const each of [converted, ...below(converted)]) {
    for (const blob of each.blobs) await putBlob(folder, blob, store);
    for (const named of namedBy(each)) copy(folder, named, store);
  }
  if (form === 'schema1') return put(join(folder, 'manifest.json'), body);
  put(blobPath(folder, digest), body);
  put(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const index = join(folder, 'index.json');
  const before = existsSync(index) ? (JSON.parse(readFileSync(index, 'utf8')) as LayoutIndex) : emptyIndex;
  const others = before.manifests.filter((each) => each.digest !== digest);
  put(index, JSON.stringify({ ...before, manifests: [...others, { mediaType, digest, size: body.length }] }));
}

interface LayoutIndex {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly { readonly digest: string }[];
}
const emptyIndex: LayoutIndex = { schemaVersion: 2, manifests: [] };

/** Blobs and manifests that a manifest names. */
function namedBy({ body }: Converted): Digest[] {
  const model = readManifest(body);
  const target = model.kind === 'image' && model.target.kind === 'config' ? [model.target.descriptor] : [];
  return [...target, ...model.dependencies].map(({ digest }) => digest);
}

async function putBlob(folder: string, blob: DerivedBlob, store: FileStore): Promise<void> {
  if (blob.kind === 'config') return put(blobPath(folder, blob.digest), blob.bytes);
  const packed = store.find(blob.packed);
  if (packed === undefined) return;
  const what = `layer ${blob.packed}`;
  const codec = createNodeLayerCodec();
  const stream = verified(
    unpack(streamOf(packed), 'zstd', { codec, limits: defaultUnpackLimits, what }),
    blob,
    codec,
    what,
  );
  const path = blobPath(folder, blob.digest);
  mkdirSync(dirname(path), { recursive: true });
  // It has its name once it is whole and right.
  await writeFile(`${path}.part`, stream);
  await rename(`${path}.part`, path);
}

/** What is at hand makes the layout whole; what is not is left to the registry that has it. */
function copy(folder: string, digest: Digest, store: FileStore): void {
  const [from, to] = [store.find(digest), blobPath(folder, digest)];
  if (from === undefined || existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
}

function blobPath(folder: string, digest: Digest): string {
  return join(folder, 'blobs', digestAlgorithm(digest), digestHex(digest));
}

function put(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
