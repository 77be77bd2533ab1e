import { digestOf } from '../../converters/digest.ts';
import { readManifest } from '../../converters/read.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { bytesOf } from './byte-streams.ts';
import { type Script, specError } from './scripted-upstream.ts';

export interface WritableRegistry {
  readonly script: Script;
  /** The pushed blobs, by `<repository>@<digest>`. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** The pushed manifests, by `<repository>:<tag>` and `<repository>@<digest>`. */
  readonly manifests: ReadonlyMap<string, Uint8Array>;
  /** The uploads that are neither completed nor cancelled. */
  readonly open: ReadonlySet<string>;
}

interface Named {
  readonly fsLayers?: readonly { readonly blobSum: string }[];
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
}

const pathPattern = /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests)\/([^/]*)$/;

/**
 * The samples and all pushed content, with the rules of docker-registry: a manifest comes after all content that it
 * names, a blob has its right digest, and repositories are separate.
 * @param before responds in place of the registry; undefined leaves the request to it.
 */
export function writableRegistry(before?: Script): WritableRegistry {
  const samples = createSampleRegistry();
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, Uint8Array>();
  const open = new Set<string>();

  async function has(kind: 'blobs' | 'manifests', repository: string, digest: string): Promise<boolean> {
    if ((kind === 'blobs' ? blobs : manifests).has(`${repository}@${digest}`)) return true;
    const url = `http://samples.test/v2/${repository}/${kind}/${digest}`;
    return (await samples.fetch(url, { method: 'HEAD' })).ok;
  }

  async function upload(request: Request, url: URL, repository: string, id: string): Promise<Response> {
    if (request.method === 'POST') {
      const begun = `u${blobs.size}-${open.size}-${crypto.randomUUID()}`;
      open.add(begun);
      const location = `/v2/${repository}/blobs/uploads/${begun}?_state=a%2Bb`;
      return new Response(null, { status: 202, headers: { Location: location } });
    }
    const isOpen = open.has(id) && url.searchParams.get('_state') === 'a+b';
    if (!isOpen) return specError(404, 'BLOB_UPLOAD_UNKNOWN');
    if (request.method === 'DELETE') {
      open.delete(id);
      return new Response(null, { status: 204 });
    }
    const bytes = await bytesOf(request.body as ReadableStream<Uint8Array>);
    const digest = url.searchParams.get('digest') ?? '';
    if (digest !== digestOf(bytes)) return specError(400, 'DIGEST_INVALID');
    if (Number(request.headers.get('content-length')) !== bytes.length) return specError(400, 'SIZE_INVALID');
    open.delete(id);
    blobs.set(`${repository}@${digest}`, bytes);
    return new Response(null, { status: 201, headers: { 'Docker-Content-Digest': digest } });
  }

  async function putManifest(request: Request, repository: string, reference: string): Promise<Response> {
    const bytes = new Uint8Array(await request.arrayBuffer());
    const document = JSON.parse(new TextDecoder().decode(bytes)) as Named;
    const { config, layers = [], fsLayers = [], manifests: children = [] } = document;
    const named = [
      ...[...(config ? [config] : []), ...layers].map(({ digest }) => ['blobs', digest] as const),
      ...fsLayers.map(({ blobSum }) => ['blobs', blobSum] as const),
      ...children.map(({ digest }) => ['manifests', digest] as const),
    ];
    const stored = await Promise.all(named.map(([kind, digest]) => has(kind, repository, digest)));
    const missing = named.filter((_, index) => !stored[index]).map(([, digest]) => digest);
    if (missing.length > 0) {
      const errors = missing.map((digest) => ({
        code: 'MANIFEST_BLOB_UNKNOWN',
        message: 'blob unknown to registry',
        detail: { digest },
      }));
      return Response.json({ errors }, { status: 404 });
    }
    const { digest } = readManifest(bytes, request.headers.get('content-type') ?? '').source;
    manifests.set(`${repository}@${digest}`, bytes);
    if (reference !== digest) manifests.set(`${repository}:${reference}`, bytes);
    return new Response(null, { status: 201, headers: { 'Docker-Content-Digest': digest } });
  }

  const script: Script = async (request, url) => {
    const scripted = await before?.(request, url);
    if (scripted) return scripted;
    const [, repository = '', kind, reference = ''] = pathPattern.exec(url.pathname) ?? [];
    if (kind === 'blobs/uploads') return upload(request, url, repository, reference);
    if (kind === 'manifests' && request.method === 'PUT') return putManifest(request, repository, reference);
    const bytes = kind === 'blobs' ? blobs.get(`${repository}@${reference}`) : undefined;
    if (!bytes) return undefined;
    return new Response(bytes.slice(), { headers: { 'Content-Length': String(bytes.length) } });
  };
  return { script, blobs, manifests, open };
}
