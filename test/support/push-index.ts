import { mediaTypes } from '../../converters/media-types.ts';
import { pushImage } from './push.ts';

const { dockerList, ociIndex, ociManifest, schema2 } = mediaTypes;

/**
 * Pushes an OCI index or a manifest list of images that are already in the repository.
 * @param architectures the architecture of each image, by its tag.
 * @returns its digest.
 */
export async function pushIndex(
  registryUrl: string,
  repository: string,
  tag: string,
  architectures: Readonly<Record<string, string>>,
  mediaType: typeof dockerList | typeof ociIndex,
): Promise<string> {
  const entries = Object.entries(architectures).map(async ([image, architecture]) => ({
    ...(await descriptorOf(`${registryUrl}/v2/${repository}/manifests/${image}`)),
    platform: { os: 'linux', architecture },
  }));
  const document = { schemaVersion: 2, mediaType, manifests: await Promise.all(entries) };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  return pushImage(registryUrl, repository, tag, { blobs: [], manifests: [{ bytes, mediaType }] });
}

async function descriptorOf(url: string): Promise<object> {
  const response = await fetch(url, { headers: { Accept: `${ociManifest}, ${schema2}` } });
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return {
    mediaType: response.headers.get('Content-Type'),
    digest: response.headers.get('Docker-Content-Digest'),
    size: (await response.arrayBuffer()).byteLength,
  };
}
