import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { type Script, specError } from './scripted-upstream.ts';

const samples = createSampleRegistry();
const architectures = ['amd64', 'arm64', '386'];

export interface IndexOver {
  readonly script: Script;
  /** The digests of the images, in order. */
  readonly children: readonly string[];
  /** Digests that upstream answers with 404 from now on. */
  readonly missing: Set<string>;
}

/**
 * A repository whose tag `latest` is a manifest list or an OCI index of samples: the first for amd64, then arm64 and
 * 386, whatever platform their configs have.
 */
export async function indexOver(
  repository: string,
  names: readonly string[],
  type: string = mediaTypes.dockerList,
): Promise<IndexOver> {
  const manifests = new Map<string, { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string }>();
  const missing = new Set<string>();
  const entries = [];
  for (const [index, name] of names.entries()) {
    const url = `http://sample.test/v2/${name}/manifests/latest`;
    const answer = await samples.fetch(url, { headers: { accept: '*/*' } });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const digest = answer.headers.get('docker-content-digest') ?? '';
    const mediaType = answer.headers.get('content-type') ?? '';
    manifests.set(digest, { bytes, type: mediaType });
    const platform = { os: 'linux', architecture: architectures[index] };
    entries.push({ mediaType, digest, size: bytes.length, platform });
  }
  const document = { schemaVersion: 2, mediaType: type, manifests: entries };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const root = digestOf(bytes);
  manifests.set(root, { bytes, type });

  const script: Script = async (request, { pathname, origin }) => {
    if (!pathname.startsWith(`/v2/${repository}/`)) return undefined;
    const [kind, reference = ''] = pathname.slice(`/v2/${repository}/`.length).split('/');
    if (kind === 'tags') return Response.json({ name: repository, tags: ['latest'] });
    const digest = reference === 'latest' ? root : reference;
    if (missing.has(digest)) return specError(404, kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN');
    const found = kind === 'manifests' ? manifests.get(digest) : undefined;
    if (found) {
      const headers = { 'Content-Type': found.type, 'Docker-Content-Digest': digest };
      return new Response(found.bytes, { headers });
    }
    for (const name of kind === 'blobs' ? names : []) {
      const { method, headers } = request;
      const answer = await samples.fetch(`${origin}/v2/${name}/blobs/${reference}`, { method, headers });
      if (answer.status !== 404) return answer;
    }
    return specError(404, kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN');
  };
  return { script, children: entries.map(({ digest }) => digest), missing };
}
