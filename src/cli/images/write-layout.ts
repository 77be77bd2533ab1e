import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Converted } from '../../../converters/conversion.ts';
import { type Digest, digestAlgorithm } from '../../../converters/digest.ts';
import { readManifest } from '../../../converters/read.ts';
import type { DerivedBlob } from '../../../converters/steps/step.ts';
import { decompress } from '../../layers/decompress.ts';
import { defaultDecompressionLimits } from '../../layers/decompression-limits.ts';
import { createDigester } from '../../layers/digester.ts';
import { verifyingStream } from '../../layers/verify.ts';
import { createNodeLayerCodec } from '../../runtime/node/layers/codec.ts';
import { FileError, isOfSystem, systemErrorText } from '../system-error.ts';
import { type FileStore, streamFile } from './file-store.ts';
import { layoutPath } from './layout-path.ts';

/** Returns all child manifests that a conversion made, at every level. */
export function below({ children }: Converted): Converted[] {
  return children.flatMap((child) => [child, ...below(child)]);
}

/**
 * Writes a converted manifest with its content to an OCI layout, and adds it to an existing `index.json`. Signed schema 1
 * becomes `manifest.json` beside the blobs: its digest is not the digest of its bytes.
 * @throws FileError if the existing `index.json` is not the index of a layout; nothing is written then.
 */
export async function writeLayout(folder: string, converted: Converted, store: FileStore): Promise<void> {
  const { digest, mediaType, body, form } = converted;
  const index = join(folder, 'index.json');
  const before = form === 'schema1' || !existsSync(index) ? emptyIndex : readIndex(index);
  for (const child of below(converted)) put(join(folder, layoutPath(child.digest)), child.body);
  for (const each of [converted, ...below(converted)]) {
    for (const blob of each.blobs) await putBlob(folder, blob, store);
    for (const named of referencedBy(each)) await copy(folder, named, store);
  }
  if (form === 'schema1') return put(join(folder, 'manifest.json'), body);
  put(join(folder, layoutPath(digest)), body);
  put(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  // An empty layout of umoci has null for its list.
  const others = (before.manifests ?? []).filter((each) => each.digest !== digest);
  put(index, JSON.stringify({ ...before, manifests: [...others, { mediaType, digest, size: body.length }] }));
}

interface LayoutIndex {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly { readonly digest: string }[] | null;
}
const emptyIndex: LayoutIndex = { schemaVersion: 2, manifests: [] };

function readIndex(path: string): LayoutIndex {
  const index = parsed(readFileSync(path, 'utf8'));
  if (isLayoutIndex(index)) return index;
  throw new FileError(`${path} is not the index of an OCI layout. Name another folder: --out folder/`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isLayoutIndex(value: unknown): value is LayoutIndex {
  if (!isObject(value) || !('manifests' in value)) return false;
  const { manifests } = value;
  return manifests === null || (Array.isArray(manifests) && manifests.every(isObject));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Returns the digests of blobs and manifests that a manifest names. */
function referencedBy({ body }: Converted): Digest[] {
  const model = readManifest(body);
  const target = model.kind === 'image' && model.target.kind === 'config' ? [model.target.descriptor] : [];
  return [...target, ...model.dependencies].map(({ digest }) => digest);
}

async function putBlob(folder: string, blob: DerivedBlob, store: FileStore): Promise<void> {
  if (blob.kind === 'config') return put(join(folder, layoutPath(blob.digest)), blob.bytes);
  const compressed = store.find(blob.packed);
  if (compressed === undefined) return;
  const what = `layer ${blob.packed}`;
  const codec = createNodeLayerCodec();
  const stream = verifyingStream(
    decompress(streamFile(compressed), 'zstd', { codec, limits: defaultDecompressionLimits, what }),
    blob,
    { codec, what },
  );
  await putVerified(join(folder, layoutPath(blob.digest)), stream);
}

/** Writes bytes to a file, which gets its final name after it is complete and verified. */
async function putVerified(path: string, stream: AsyncIterable<Uint8Array>): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.part`;
  try {
    await writeFile(part, stream);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw isOfSystem(error) ? new FileError(systemErrorText(error, path), { cause: error }) : error;
  }
}

/**
 * Copies content to the layout if the store has it. Missing content is skipped: a registry may have it.
 * @throws FileError where a file of the store has other bytes than its name says.
 */
async function copy(folder: string, digest: Digest, store: FileStore): Promise<void> {
  const [from, to] = [store.find(digest), join(folder, layoutPath(digest))];
  if (from === undefined || existsSync(to)) return;
  await putVerified(to, contentOf(from, digest));
}

async function* contentOf(path: string, digest: Digest): AsyncGenerator<Uint8Array> {
  const digester = createDigester(createNodeLayerCodec().hash(digestAlgorithm(digest)));
  for await (const bytes of streamFile(path)) {
    await digester.add(bytes);
    yield bytes;
  }
  const found = await digester.digest();
  if (found !== digest) throw new FileError(`${path} should be ${digest}; found ${found}`);
}

/** Writes a file, and creates its folder. */
export function put(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
