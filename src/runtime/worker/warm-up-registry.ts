import type { Digest } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import { streamFromSource } from '../../layers/byte-stream.ts';
import { emptyContent, type SampleContent } from '../../sample-registry/content.ts';
import { amd64, sampleImage } from '../../sample-registry/image.ts';
import { ociIndex, ociManifest } from '../../sample-registry/oci.ts';
import type { Fetch } from '../../upstream/send.ts';

/** A registry in memory with one image, behind an index. */
export interface WarmUpRegistry {
  readonly fetch: Fetch;
  readonly image: Digest;
  readonly blob: Digest;
}

/**
 * Creates a registry that runs where a Worker starts. There, workerd allows a body that JavaScript streams, and refuses
 * one of bytes (seen with workerd of wrangler.toml's date), which the sample registry sends.
 */
export function createWarmUpRegistry(): WarmUpRegistry {
  const content = emptyContent();
  const manifest = ociManifest(content, sampleImage('image', amd64, 'with-empty-entries'));
  const index = ociIndex(content, [{ platform: amd64, manifest }]);
  const fetch: Fetch = async (url, { method }) => {
    const reference = url.slice(url.lastIndexOf('/') + 1) as Digest;
    const digest = reference.startsWith('sha256:') ? reference : index.digest;
    return respond(content, digest, method === 'HEAD');
  };
  const [blob = manifest.digest] = content.blobs.keys();
  return { fetch, image: manifest.digest, blob };
}

function respond({ manifests, blobs }: SampleContent, digest: Digest, isHead: boolean): Response {
  const manifest = manifests.get(digest);
  const bytes = manifest?.bytes ?? blobs.get(digest);
  if (bytes === undefined) return new Response(null, { status: 404 });
  const headers = {
    'Content-Type': manifest?.mediaType ?? mediaTypes.octetStream,
    'Content-Length': String(bytes.length),
    'Docker-Content-Digest': digest,
  };
  return new Response(isHead ? null : streamFromSource(bytes), { headers });
}
