import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestHex, digestOf } from '../../converters/digest.ts';
import { childrenOf } from './sample-tree.ts';

/** A row of `test/golden/schema1/index.json`. */
export interface VectorCase {
  /** The directory of the case. */
  readonly name: string;
  readonly repository: string;
  readonly tag: string;
  /** The status of docker-registry 2.8.2 for a request without Accept. */
  readonly status: number;
  readonly expect: 'equal' | 'refuse' | 'synthesize' | 'either';
  /** The digest of the schema 1 payload, when the response is one. */
  readonly digest?: string;
  readonly contentType?: string;
}

const vectorDirectory = join(import.meta.dirname, '../golden/schema1');

export async function vectorCases(): Promise<VectorCase[]> {
  return JSON.parse(await readFile(join(vectorDirectory, 'index.json'), 'utf8'));
}

/**
 * Writes every golden case into docker-registry's filesystem storage, in the form that a push leaves, but without the
 * layers: only their digests are known, and a conversion to schema 1 needs no more.
 */
export async function seedVectors(storage: string): Promise<void> {
  const cases = await vectorCases();
  await Promise.all(cases.map((each) => seedCase(join(storage, 'docker/registry/v2'), each)));
}

async function seedCase(root: string, { name, repository, tag }: VectorCase): Promise<void> {
  const config = await readFile(join(vectorDirectory, name, 'config.json'));
  const manifest = await readFile(join(vectorDirectory, name, 'manifest.json'));
  const digest = digestOf(manifest);
  const manifests = join(root, 'repositories', repository, '_manifests');
  const layers = join(root, 'repositories', repository, '_layers');
  await Promise.all([
    writeBlob(root, config),
    writeBlob(root, manifest),
    writeLink(join(manifests, 'revisions', path(digest)), digest),
    writeLink(join(manifests, 'tags', tag, 'current'), digest),
    writeLink(join(manifests, 'tags', tag, 'index', path(digest)), digest),
    ...childrenOf(manifest).map((child) => writeLink(join(layers, path(child)), child)),
  ]);
}

function path(digest: Digest): string {
  return join('sha256', digestHex(digest));
}

async function writeBlob(root: string, bytes: Uint8Array): Promise<void> {
  const hex = digestHex(digestOf(bytes));
  await write(join(root, 'blobs/sha256', hex.slice(0, 2), hex, 'data'), bytes);
}

async function writeLink(directory: string, digest: Digest): Promise<void> {
  await write(join(directory, 'link'), digest);
}

async function write(file: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
