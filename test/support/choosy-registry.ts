import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { readManifest, sketchManifest } from '../../converters/read.ts';
import { bytesOf, concatenated } from './byte-streams.ts';
import { type Script, specError } from './scripted-upstream.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

/** The manifest types of registries of three generations. */
export const generations = {
  /** distribution before 2.7, Artifactory 6. */
  docker: [schema1Signed, schema2, dockerList],
  /** distribution 3, GHCR. */
  today: [schema2, dockerList, ociManifest, ociIndex],
  /** zot without its Docker compatibility. */
  oci: [ociManifest, ociIndex],
} as const satisfies Record<string, readonly string[]>;

export interface ChoosyRegistryOptions {
  readonly takes: readonly string[];
  /** The answer to a type that it does not take; by default that of docker-registry. */
  readonly refuse?: (mediaType: string) => Response;
  /** Wants the subject of a manifest before the manifest, as GitLab does. */
  readonly subjectFirst?: boolean;
  /** Takes the blobs of a repository for manifests, too, as docker-registry up to 2.8 does. */
  readonly blobsAsManifests?: boolean;
  /** Serves manifests by the API of blobs, too, as zot and Gitea do. */
  readonly manifestsAsBlobs?: boolean;
  /** Answers in place of the registry; undefined leaves the request to it. */
  readonly before?: Script;
}

export interface StoredDocument {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface ChoosyRegistry {
  readonly script: Script;
  /** The stored blobs, by `<repository>@<digest>`. */
  readonly blobs: Map<string, Uint8Array>;
  /** The stored manifests, by `<repository>@<digest>`. */
  readonly manifests: Map<string, StoredDocument>;
  /** Digests, by `<repository>:<tag>`. */
  readonly tags: Map<string, string>;
}

interface Document {
  readonly fsLayers?: readonly { readonly blobSum: string }[];
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
  readonly subject?: { readonly digest: string };
}

const pathPattern = /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|tags)\/([^/]*)$/;

/** A registry in memory that takes some types of manifests, with docker-registry's rules for their content. */
export function choosyRegistry(options: ChoosyRegistryOptions): ChoosyRegistry {
  const { takes, refuse = () => specError(400, 'MANIFEST_INVALID', {}, 'manifest invalid') } = options;
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, StoredDocument>();
  const tags = new Map<string, string>();
  /** The bytes of uploads that were begun, by their path. */
  const uploads = new Map<string, Uint8Array>();

  async function upload(request: Request, url: URL, repository: string): Promise<Response> {
    if (request.method === 'POST') {
      const location = `/v2/${repository}/blobs/uploads/${crypto.randomUUID()}`;
      return new Response(null, { status: 202, headers: { Location: location } });
    }
    if (request.method === 'DELETE') return new Response(null, { status: 204 });
    const sent = request.body ? await bytesOf(request.body) : new Uint8Array();
    const bytes = concatenated(uploads.get(url.pathname) ?? new Uint8Array(), sent);
    if (request.method === 'PATCH') {
      uploads.set(url.pathname, bytes);
      const headers = { Location: url.pathname, Range: `0-${bytes.length - 1}` };
      return new Response(null, { status: 202, headers });
    }
    const digest = url.searchParams.get('digest') ?? '';
    if (digest !== digestOf(bytes)) return specError(400, 'DIGEST_INVALID');
    blobs.set(`${repository}@${digest}`, bytes);
    return new Response(null, { status: 201, headers: { 'Docker-Content-Digest': digest } });
  }

  const hasChild = (key: string) =>
    manifests.has(key) || (options.blobsAsManifests === true && blobs.has(key));

  function missingIn(repository: string, bytes: Uint8Array): string[] {
    const document = JSON.parse(new TextDecoder().decode(bytes)) as Document;
    const { config, layers = [], fsLayers = [], manifests: children = [], subject } = document;
    const ofBlobs = [...(config ? [config] : []), ...layers].map(({ digest }) => digest);
    const named = [...ofBlobs, ...fsLayers.map(({ blobSum }) => blobSum)];
    const inner = children.map(({ digest }) => digest);
    return [
      ...named.filter((digest) => !blobs.has(`${repository}@${digest}`)),
      ...inner.filter((digest) => !hasChild(`${repository}@${digest}`)),
      ...(options.subjectFirst && subject && !manifests.has(`${repository}@${subject.digest}`)
        ? [subject.digest]
        : []),
    ];
  }

  async function putManifest(request: Request, repository: string, reference: string): Promise<Response> {
    const bytes = new Uint8Array(await request.arrayBuffer());
    const mediaType = request.headers.get('content-type') ?? '';
    const type = takes.includes(mediaType) ? mediaType : sketchManifest(bytes, mediaType).mediaType;
    if (!takes.includes(type)) return refuse(mediaType);
    const missing = missingIn(repository, bytes);
    if (missing.length > 0) {
      const errors = missing.map((digest) => ({
        code: 'MANIFEST_BLOB_UNKNOWN',
        message: `blob unknown to registry - ${digest}`,
        detail: digest,
      }));
      return Response.json({ errors }, { status: 404 });
    }
    const digest = type === schema1Signed ? readManifest(bytes, type).source.digest : digestOf(bytes);
    if (reference.startsWith('sha256:') && reference !== digest) return specError(400, 'DIGEST_INVALID');
    manifests.set(`${repository}@${digest}`, { mediaType: type, bytes });
    if (!reference.startsWith('sha256:')) tags.set(`${repository}:${reference}`, digest);
    return new Response(null, { status: 201, headers: { 'Docker-Content-Digest': digest } });
  }

  function manifest(method: string, repository: string, reference: string): Response {
    const isDigest = reference.startsWith('sha256:');
    const digest = isDigest ? reference : (tags.get(`${repository}:${reference}`) ?? '');
    const blob = options.blobsAsManifests ? blobs.get(`${repository}@${digest}`) : undefined;
    const stored = manifests.get(`${repository}@${digest}`) ?? (blob && asManifest(blob));
    if (!stored) return specError(404, 'MANIFEST_UNKNOWN');
    if (method === 'DELETE') {
      if (!manifests.delete(`${repository}@${digest}`)) blobs.delete(`${repository}@${digest}`);
      for (const [tag, named] of tags)
        if (named === digest && tag.startsWith(`${repository}:`)) tags.delete(tag);
      return new Response(null, { status: 202 });
    }
    const headers = {
      'Content-Type': stored.mediaType,
      'Docker-Content-Digest': digest,
      'Content-Length': String(stored.bytes.length),
    };
    return new Response(stored.bytes.slice(), { headers });
  }

  const script: Script = async (request, url) => {
    const scripted = await options.before?.(request, url);
    if (scripted) return scripted;
    const { method } = request;
    const [, repository = '', kind, reference = ''] = pathPattern.exec(url.pathname) ?? [];
    if (kind === 'blobs/uploads') return upload(request, url, repository);
    if (kind === 'manifests') {
      return method === 'PUT'
        ? putManifest(request, repository, reference)
        : manifest(method, repository, reference);
    }
    if (kind === 'blobs') {
      const key = `${repository}@${reference}`;
      const bytes = blobs.get(key) ?? (options.manifestsAsBlobs ? manifests.get(key)?.bytes : undefined);
      if (!bytes) return specError(404, 'BLOB_UNKNOWN');
      if (method === 'DELETE') {
        blobs.delete(`${repository}@${reference}`);
        return new Response(null, { status: 202 });
      }
      return new Response(bytes.slice(), { headers: { 'Content-Length': String(bytes.length) } });
    }
    if (kind === 'tags') {
      const names = [...tags.keys()].flatMap((tag) =>
        tag.startsWith(`${repository}:`) ? [tag.slice(repository.length + 1)] : [],
      );
      return names.length > 0
        ? Response.json({ name: repository, tags: names })
        : specError(404, 'NAME_UNKNOWN');
    }
    return undefined;
  };
  return { script, blobs, manifests, tags };
}

/** A blob as docker-registry gives it for a manifest; undefined for one that is none. */
function asManifest(bytes: Uint8Array): StoredDocument | undefined {
  try {
    return { mediaType: sketchManifest(bytes).mediaType, bytes };
  } catch {
    return undefined;
  }
}
