import { type Digest, type LayerFacts, mediaTypes, readManifest } from '../../../converters/index.ts';
import { childrenOf } from '../sample-tree.ts';
import { layerFactsOf } from './layer-facts.ts';
import type { StoredCase } from './stored-case.ts';

/** A tag of a registry to make a case from. */
export interface RegistryCase {
  readonly name: string;
  readonly madeBy: string;
  readonly repository: string;
  readonly tag: string;
  /** The Accept header of the request: `widest` by default, no header for "". */
  readonly accept?: string;
}

const widest = [
  ...[mediaTypes.ociManifest, mediaTypes.ociIndex, mediaTypes.schema2, mediaTypes.dockerList],
  mediaTypes.schema1Signed,
].join(', ');

/** Reads the manifest under a tag of a real registry, and all content that it names. */
export async function caseFromRegistry(url: string, source: RegistryCase): Promise<StoredCase> {
  const { repository, tag, accept = widest } = source;
  const documents = new Map<string, Uint8Array>();
  const layers = new Map<Digest, LayerFacts>();
  const get = async (path: string) => {
    const headers: Record<string, string> = accept === '' ? {} : { accept };
    const response = await fetch(`${url}/v2/${repository}/${path}`, { headers });
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
  };
  const visit = async (digest: Digest) => {
    const manifest = await get(`manifests/${digest}`);
    const bytes = manifest ?? (await get(`blobs/${digest}`));
    if (!bytes) throw new Error(`${repository} has no ${digest}`);
    if (bytes[0] !== 0x7b) layers.set(digest, layerFactsOf(bytes));
    else await add(digest, bytes);
  };
  const add = async (digest: Digest, bytes: Uint8Array) => {
    documents.set(digest, bytes);
    for (const child of childrenOf(bytes)) await visit(child);
  };
  const bytes = await get(`manifests/${tag}`);
  if (!bytes) throw new Error(`${repository}:${tag} is not there`);
  const root = rootDigest(bytes);
  await add(root, bytes);
  const { name, madeBy } = source;
  return { name, madeBy, root, repository, tag, unpackZstd: false, documents, layers };
}

/** The digest of a manifest. For signed schema 1 it is the digest of the payload. */
function rootDigest(bytes: Uint8Array): Digest {
  return readManifest(bytes).source.digest;
}
