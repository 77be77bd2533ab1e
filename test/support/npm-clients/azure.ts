import { buffer } from 'node:stream/consumers';
import { loadPackage } from '../npm-packages.ts';
import { sha256Of } from '../sha256.ts';

/** The part of @azure/container-registry 1.1.2 that the tests use. */
interface Library {
  readonly ContainerRegistryContentClient: new (
    url: string,
    repository: string,
    credential: undefined,
    options: object,
  ) => ContentClient;
}

/** It writes the slashes of a repository's name as `%2F`, and the colon of a digest as `%3A`. */
interface ContentClient {
  getManifest(reference: string): Promise<Download>;
  downloadBlob(digest: string): Promise<{ readonly content: AsyncIterable<Uint8Array> }>;
  uploadBlob(content: Uint8Array): Promise<{ readonly digest: string; readonly sizeInBytes: number }>;
  setManifest(manifest: object, options: { readonly tag: string }): Promise<{ readonly digest: string }>;
}

interface Download {
  readonly digest: string;
  readonly mediaType: string;
  readonly manifest: {
    readonly config?: { readonly digest: string };
    readonly layers?: readonly { readonly digest: string }[];
  };
}

/** Makes a client. It refuses addresses without TLS. @param ca the certificate that it trusts. */
export function azureClient(url: string, repository: string, ca: string): ContentClient {
  const library = loadPackage('@azure/container-registry') as Library;
  const options = { tlsOptions: { ca }, retryOptions: { maxRetries: 0 } };
  return new library.ContainerRegistryContentClient(url, repository, undefined, options);
}

/**
 * Pulls a tag, the same by digest, and all blobs of an image. The library verifies digests itself.
 * @throws Error of the library, or with the first content that does not fit its digest.
 */
export async function pullByAzure(client: ContentClient) {
  const { digest, mediaType, manifest } = await client.getManifest('latest');
  const again = await client.getManifest(digest);
  if (again.digest !== digest) throw new Error(`${digest} is something else`);
  const blobs = [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])];
  for (const blob of blobs) {
    const { content } = await client.downloadBlob(blob.digest);
    if ((await sha256Of(await buffer(content))) !== blob.digest)
      throw new Error(`${blob.digest} is something else`);
  }
  return { type: mediaType, digest };
}
