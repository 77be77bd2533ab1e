import { type Digest, type LayerFacts, mediaTypes, readManifest } from '../../../converters/index.ts';
import { childrenOf } from '../sample-tree.ts';
import { layerFactsOf } from './layer-facts.ts';
import type { StoredCase } from './stored-case.ts';

export interface RegistryCase {
  readonly name: string;
  readonly madeBy: string;
  readonly repository: string;
  readonly tag: string;
  /** The Accept to ask with; the widest where it is absent, none where it is "". */
  readonly accept?: string;
}

const widest = [
  ...[mediaTypes.ociManifest, mediaTypes.ociIndex, mediaTypes.schema2, mediaTypes.dockerList],
  mediaTypes.schema1Signed,
].join(', ');

/** Reads what a real registry holds under a tag, with everything below. */
export async function caseFromRegistry(url: string, asked: RegistryCase): Promise<StoredCase> {
  const { repository, tag, accept = widest } = asked;
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
  const { name, madeBy } = asked;
  return { name, madeBy, root, repository, tag, unpackZstd: false, documents, layers };
}

/** Of signed schema 1, that of the payload. */
function rootDigest(bytes: Uint8Array): Digest {
  return readManifest(bytes).source.digest;
}
