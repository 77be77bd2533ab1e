import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { sampleTree } from './sample-tree.ts';

export interface PushManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  /** Without a tag the manifest is pushed by its digest. */
  readonly tag?: string;
}

export interface PushContent {
  readonly blobs: readonly Uint8Array[];
  /** Children first: a registry refuses an index whose manifests it does not have. */
  readonly manifests: readonly PushManifest[];
  /** `user:password` for a registry that asks for Basic. */
  readonly login?: string | undefined;
}

/** The registry refused a part of an image. */
export class PushRefused extends Error {
  override readonly name = 'PushRefused';
  readonly status: number;
  readonly body: string;

  constructor(what: string, status: number, body: string) {
    super(`${what}: HTTP ${status} ${body}`);
    this.status = status;
    this.body = body;
  }
}

/**
 * Pushes an image by the distribution API. `tag` points to the last manifest.
 * @returns the digest that the registry gives to that manifest.
 * @throws PushRefused when the registry refuses a part of the image.
 */
export async function pushImage(
  registryUrl: string,
  repository: string,
  tag: string,
  content: PushContent,
): Promise<string> {
  const base = `${registryUrl}/v2/${repository}`;
  const login: Record<string, string> =
    content.login === undefined ? {} : { Authorization: `Basic ${btoa(content.login)}` };
  await Promise.all(content.blobs.map((blob) => pushBlob(base, blob, login)));
  let digest = '';
  for (const [index, manifest] of content.manifests.entries()) {
    const last = index === content.manifests.length - 1;
    const reference = manifest.tag ?? (last ? tag : digestOf(manifest.bytes));
    digest = await pushManifest(base, manifest, reference, login);
  }
  return digest;
}

async function pushBlob(base: string, blob: Uint8Array, login: Record<string, string>): Promise<void> {
  const started = await fetch(`${base}/blobs/uploads/`, { method: 'POST', headers: login });
  const location = started.headers.get('Location');
  if (started.status !== 202 || location === null) throw await refusal('Upload of a blob', started);
  const url = new URL(location, base);
  url.searchParams.set('digest', digestOf(blob));
  const finished = await fetch(url, {
    method: 'PUT',
    body: blob.slice(),
    headers: { 'Content-Type': mediaTypes.octetStream, ...login },
  });
  if (finished.status !== 201) throw await refusal('End of an upload', finished);
}

async function pushManifest(
  base: string,
  manifest: PushManifest,
  reference: string,
  login: Record<string, string>,
): Promise<string> {
  const response = await fetch(`${base}/manifests/${reference}`, {
    method: 'PUT',
    body: manifest.bytes.slice(),
    headers: { 'Content-Type': manifest.mediaType, ...login },
  });
  if (response.status !== 201) throw await refusal(`Manifest ${reference}`, response);
  return response.headers.get('Docker-Content-Digest') ?? '';
}

async function refusal(what: string, response: Response): Promise<PushRefused> {
  return new PushRefused(what, response.status, (await response.text()).trim());
}

const samples = createSampleRegistry();

/**
 * Copies a sample and all its content into a real registry, under its name and tags. A generic manifest is pushed as
 * an OCI index, the one type under which docker-registry takes it.
 * @param login `user:password` for a registry that asks for Basic.
 * @returns the digest of the manifest that the tags point to.
 */
export async function pushSample(registryUrl: string, sampleName: string, login?: string): Promise<string> {
  const repository = samples.repositories.find((each) => each.name === sampleName);
  if (repository === undefined) throw new Error(`There is no sample ${sampleName}`);
  const tree = await sampleTree(samples, sampleName);
  const manifests = tree.manifests.map(({ bytes, mediaType }) => ({
    bytes,
    mediaType: mediaType === mediaTypes.generic ? mediaTypes.ociIndex : mediaType,
  }));
  const root = manifests.at(-1);
  if (root === undefined) throw new Error(`The sample ${sampleName} has no manifest`);
  const tagged = repository.tags.map((tag) => ({ ...root, tag }));
  return pushImage(registryUrl, sampleName, 'latest', {
    blobs: [...tree.blobs.values()],
    manifests: [...manifests.slice(0, -1), ...tagged],
    login,
  });
}
