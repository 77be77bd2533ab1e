import { type Digest, isDigest } from '../../converters/digest.ts';
import type { SampleRegistry } from '../../src/sample-registry/registry.ts';

export interface TreeManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface SampleTree {
  /** Manifests after the children that they name; the last one is what the tag points to. */
  readonly manifests: readonly TreeManifest[];
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

/** Reads all content that a sample's tag leads to, over the registry's own interface, as a client does. */
export async function sampleTree(
  registry: SampleRegistry,
  repository: string,
  tag = 'latest',
): Promise<SampleTree> {
  const manifests = new Map<Digest, TreeManifest>();
  const blobs = new Map<Digest, Uint8Array>();

  const visit = async (digest: Digest): Promise<void> => {
    if (manifests.has(digest) || blobs.has(digest)) return;
    const manifest = await get(registry, repository, `manifests/${digest}`);
    const found = manifest ?? (await get(registry, repository, `blobs/${digest}`));
    if (found === undefined) throw new Error(`${repository} names ${digest} and does not have it`);
    for (const child of childrenOf(found.bytes)) await visit(child);
    if (found === manifest) manifests.set(digest, found);
    else blobs.set(digest, found.bytes);
  };

  const root = await get(registry, repository, `manifests/${tag}`);
  if (root === undefined) throw new Error(`${repository}:${tag} is not in the sample registry`);
  await visit(root.digest);
  return { manifests: [...manifests.values()], blobs };
}

async function get(
  registry: SampleRegistry,
  repository: string,
  path: string,
): Promise<TreeManifest | undefined> {
  const response = await registry.fetch(`http://sample/v2/${repository}/${path}`);
  if (response.status === 404) return undefined;
  const digest = response.headers.get('Docker-Content-Digest');
  if (!response.ok || !isDigest(digest)) throw new Error(`${path} of ${repository}: HTTP ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { digest, mediaType: response.headers.get('Content-Type') ?? '', bytes };
}

/** The fields of all dialects that can hold the digest of stored content. */
interface AnyManifest {
  readonly config?: { readonly digest?: string };
  readonly target?: { readonly digest?: string };
  /** Programs in Go write `null` for a manifest without layers. */
  readonly layers?: readonly { readonly digest?: string }[] | null;
  readonly manifests?: readonly { readonly digest?: string }[];
  readonly dependencies?: readonly { readonly digest?: string }[];
  readonly fsLayers?: readonly { readonly blobSum?: string }[];
}

/** The digests that a manifest of any dialect names; none for other content, like a layer or a config. */
export function childrenOf(bytes: Uint8Array): Digest[] {
  const manifest = manifestIn(bytes);
  const { config, target, layers, manifests = [], dependencies = [], fsLayers = [] } = manifest;
  const descriptors = [config, target, ...(layers ?? []), ...manifests, ...dependencies];
  return [...descriptors.map((each) => each?.digest), ...fsLayers.map((each) => each.blobSum)].filter(
    isDigest,
  );
}

function manifestIn(bytes: Uint8Array): AnyManifest {
  const text = new TextDecoder().decode(bytes);
  return text.startsWith('{') && text.includes('"schemaVersion"') ? JSON.parse(text) : {};
}
