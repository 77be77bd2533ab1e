import { type PushManifest, pushImage } from '../push.ts';
import { childrenOf } from '../sample-tree.ts';
import { sha256Of } from '../sha256.ts';
import { type Exchange, isDigestText } from './call.ts';
import { emptyLayer } from './manifest-rules.ts';
import type { World } from './world.ts';

/**
 * Gives to the registry without a proxy what regshift stored in place of a pushed manifest, or with parts that it made,
 * so that both registries have the same again.
 */
export async function followStored({ call, straight, through }: Exchange, world: World): Promise<void> {
  const { kind, method, repository = '', reference = '' } = call;
  if (kind === 'manifest' && method === 'DELETE')
    return followDeleted(world, repository, reference, through.status);
  if (kind !== 'manifest' || method !== 'PUT') return;
  if (through.status === 400) return followLeft(world, repository, reference, call.body);
  if (through.status !== 201) return;
  const pushed = through.header('Docker-Content-Digest') ?? '';
  const stored = through.header('Regshift-Stored-Digest') ?? pushed;
  const name = world.plainName(repository);
  if (stored !== pushed) world.storedAs.set(`${name}@${pushed}`, stored);
  else if (straight.status === 201) return;
  const manifests: PushManifest[] = [];
  const blobs = new Map<string, Uint8Array>();
  await collect(world, name, stored, manifests, blobs);
  await pushImage(world.straight.url, name, isDigestText(reference) ? stored : reference, {
    blobs: [...blobs.values()],
    manifests,
  });
}

/** A push that the registry refuses may leave the empty layer, and one by tag the pushed bytes as a blob. */
async function followLeft(
  world: World,
  repository: string,
  reference: string,
  pushed: Uint8Array = new Uint8Array(),
): Promise<void> {
  const name = world.plainName(repository);
  const left = isDigestText(reference) ? [emptyLayer] : [emptyLayer, await sha256Of(pushed)];
  for (const digest of left) {
    const blob = await world.readBehind(`/v2/${name}/blobs/${digest}`);
    if (blob.status === 200)
      await pushImage(world.straight.url, name, 'none', { blobs: [blob.body], manifests: [] });
  }
}

/** A deletion of the stored or of the pushed digest deletes the stored manifest. */
async function followDeleted(
  world: World,
  repository: string,
  digest: string,
  status: number,
): Promise<void> {
  if (status !== 202) return;
  const name = world.plainName(repository);
  for (const [key, stored] of world.storedAs) {
    const pushed = key.slice(name.length + 1);
    if (key !== `${name}@${pushed}` || (pushed !== digest && stored !== digest)) continue;
    if (pushed === digest) world.storedAs.delete(key);
    for (const each of [stored, pushed])
      await fetch(`${world.straight.url}/v2/${name}/manifests/${each}`, { method: 'DELETE' });
  }
}

/** Reads a manifest with all its content from the registry behind the proxy, children first. */
async function collect(
  world: World,
  name: string,
  digest: string,
  manifests: PushManifest[],
  blobs: Map<string, Uint8Array>,
): Promise<void> {
  const manifest = await world.readBehind(`/v2/${name}/manifests/${digest}`);
  if (manifest.status !== 200)
    throw new Error(`the registry does not have ${digest}, which regshift has stored`);
  const isIndex = isAnIndex(manifest.body);
  for (const child of childrenOf(manifest.body)) {
    if (isIndex) await collect(world, name, child, manifests, blobs);
    else blobs.set(child, (await world.readBehind(`/v2/${name}/blobs/${child}`)).body);
  }
  manifests.push({ bytes: manifest.body, mediaType: manifest.header('Content-Type') ?? '' });
}

export function isAnIndex(bytes: Uint8Array): boolean {
  return 'manifests' in (JSON.parse(new TextDecoder().decode(bytes)) as object);
}
