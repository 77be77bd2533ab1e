import { readFile } from 'node:fs/promises';
import { loadPackage } from '../npm-packages.ts';
import { sha256Of } from '../sha256.ts';

/** The part of @snyk/docker-registry-v2-client 4.0.5 that the tests use. */
interface Library {
  checkSupport(host: string, ...rest: Rest): Promise<object>;
  getTags(
    host: string,
    repository: string,
    ...rest: [...Login, number, undefined, Options]
  ): Promise<string[]>;
  getTagsPaginated(host: string, repository: string, ...rest: [...Login, number, Options]): Promise<string[]>;
  getManifest(host: string, repository: string, reference: string, ...rest: Rest): Promise<Manifest>;
  getImageConfig(host: string, repository: string, digest: string, ...rest: Rest): Promise<ImageConfig>;
  getAttestationManifest(host: string, repository: string, tag: string, ...rest: Rest): Promise<Manifest>;
  downloadLayer(
    file: string,
    host: string,
    repository: string,
    digest: string,
    ...rest: Rest
  ): Promise<object>;
  getLayer(host: string, repository: string, digest: string, ...rest: Rest): Promise<Uint8Array>;
}

type Login = [user: string | undefined, password: string | undefined];
type Rest = [...Login, options: Options];

interface Options {
  readonly protocol: 'http:';
  readonly acceptManifest?: string;
}

interface Manifest {
  readonly manifestContentType: string;
  readonly manifestDigest: string;
  readonly indexDigest?: string;
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

interface ImageConfig {
  readonly architecture: string;
}

/**
 * Pulls an image with @snyk/docker-registry-v2-client: tags in pages of one, manifest by tag and by digest, config and
 * layers.
 * @param acceptManifest `Accept` of a manifest; the library's own names schema 2 and the list.
 * @throws Error of the library, or with the first content that does not fit its digest.
 */
export async function pullBySnyk(
  url: string,
  repository: string,
  acceptManifest?: string,
  login: Login = [undefined, undefined],
) {
  const library = loadPackage('@snyk/docker-registry-v2-client') as Library;
  const { host } = new URL(url);
  const options: Options = { protocol: 'http:', ...(acceptManifest && { acceptManifest }) };
  const rest: Rest = [...login, options];
  await library.checkSupport(host, ...rest);
  const tags = await library.getTags(host, repository, ...login, 1, undefined, options);
  const marked = await library.getTagsPaginated(host, repository, ...login, 1, options);
  const manifest = await library.getManifest(host, repository, 'latest', ...rest);
  const { manifestDigest } = manifest;
  const again = await library.getManifest(host, repository, manifestDigest, ...rest);
  if (again.config.digest !== manifest.config.digest) throw new Error(`${manifestDigest} is something else`);
  const { architecture } = await library.getImageConfig(host, repository, manifest.config.digest, ...rest);
  for (const { digest } of manifest.layers) {
    const layer = await library.getLayer(host, repository, digest, ...rest);
    if ((await sha256Of(layer)) !== digest) throw new Error(`${digest} is something else`);
  }
  return {
    tags: [tags.toSorted(), marked.toSorted()],
    type: manifest.manifestContentType,
    digest: manifest.indexDigest ?? manifestDigest,
    architecture,
  };
}

/**
 * Gets the attestations of an image, and writes the first of them into a file.
 * @param file is written. @returns the digest of the attestation manifest.
 * @throws Error of the library, or if the file does not fit its digest.
 */
export async function attestationsBySnyk(url: string, repository: string, file: string): Promise<string> {
  const library = loadPackage('@snyk/docker-registry-v2-client') as Library;
  const { host } = new URL(url);
  const rest: Rest = [undefined, undefined, { protocol: 'http:' }];
  const { manifestDigest, layers } = await library.getAttestationManifest(
    host,
    repository,
    'latest',
    ...rest,
  );
  const digest = layers[0]?.digest ?? '';
  await library.downloadLayer(file, host, repository, digest, ...rest);
  if ((await sha256Of(await readFile(file))) !== digest) throw new Error(`${digest} is something else`);
  return manifestDigest;
}
