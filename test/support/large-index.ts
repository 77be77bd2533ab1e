import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { type Script, specError } from './scripted-upstream.ts';

const samples = createSampleRegistry();
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/**
 * A repository whose tag `latest` is an OCI index of a number of different images, each with the blobs of `sample/oci`.
 */
export function largeIndex(repository: string, images: number): Script {
  const prefix = `/v2/${repository}/`;
  const manifests = new Map<string, { readonly bytes: Uint8Array; readonly type: string }>();
  const keep = (bytes: Uint8Array, type: string) => {
    const digest = digestOf(bytes);
    manifests.set(digest, { bytes, type });
    return { mediaType: type, digest, size: bytes.length };
  };

  const filled = (async () => {
    const accept = { accept: mediaTypes.ociManifest };
    const url = 'http://sample.test/v2/sample/oci/manifests/latest';
    const image = (await (await samples.fetch(url, { headers: accept })).json()) as object;
    const entries = Array.from({ length: images }, (_, number) => {
      const annotations = { 'org.example.number': String(number) };
      const architecture = number === 0 ? 'amd64' : `other${number}`;
      const entry = keep(json({ ...image, annotations }), mediaTypes.ociManifest);
      return { ...entry, platform: { os: 'linux', architecture } };
    });
    const type = mediaTypes.ociIndex;
    return keep(json({ schemaVersion: 2, mediaType: type, manifests: entries }), type).digest;
  })();

  return async ({ method, headers }, { pathname, origin }) => {
    if (!pathname.startsWith(prefix)) return undefined;
    const [kind, reference = ''] = pathname.slice(prefix.length).split('/');
    if (kind === 'blobs')
      return samples.fetch(`${origin}/v2/sample/oci/blobs/${reference}`, { method, headers });
    const root = await filled;
    if (kind === 'tags') return Response.json({ name: repository, tags: ['latest'] });
    const digest = reference === 'latest' ? root : reference;
    const found = manifests.get(digest);
    if (!found) return specError(404, 'MANIFEST_UNKNOWN');
    const said = { 'Content-Type': found.type, 'Docker-Content-Digest': digest };
    return new Response(found.bytes.slice(), { headers: said });
  };
}
