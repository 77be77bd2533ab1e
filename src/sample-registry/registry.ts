import type { Digest } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { parseReference, parseRepositoryName, type Reference } from '../../converters/reference.ts';
import { contentResponse, jsonResponse, sampleErrorResponse, withoutBody } from './answers.ts';
import { emptyContent, type SampleContent } from './content.ts';
import { pageResponse } from './pages.ts';
import { type Sample, samples, sampleTags } from './samples.ts';

export interface SampleRepository {
  readonly name: string;
  readonly tags: readonly string[];
  /** One line for people. */
  readonly description: string;
}

export interface SampleRegistry {
  /** In place of the global `fetch`: only the path and the query of `url` count, whatever its host. */
  fetch(url: string, init?: RequestInit): Promise<Response>;
  readonly repositories: readonly SampleRepository[];
}

interface Repository extends SampleRepository {
  readonly content: SampleContent;
  /** What every tag of the repository points to. */
  readonly root: Digest;
}

/**
 * A read-only registry inside the process, of small images in every form: what is served when no upstream is
 * configured. It answers as a good registry does, and ignores Accept: what is stored is what is sent. A
 * repository is built when it is first asked for, the same bytes in every runtime.
 */
export function createSampleRegistry(): SampleRegistry {
  const built = new Map<string, Repository>();
  const find = (name: string): Repository | undefined => {
    const sample = samples.find((each) => each.name === name);
    if (sample === undefined) return undefined;
    const repository = built.get(name) ?? build(sample);
    built.set(name, repository);
    return repository;
  };
  return {
    fetch: async (url, init) => {
      init?.signal?.throwIfAborted();
      const request = new Request(url, {
        method: init?.method ?? 'GET',
        headers: new Headers(init?.headers),
      });
      const response = answer(request, find);
      return request.method === 'HEAD' ? withoutBody(response) : response;
    },
    repositories: samples.map(describe),
  };
}

function describe({ name, description }: Sample): SampleRepository {
  return { name, tags: sampleTags, description };
}

function build(sample: Sample): Repository {
  const content = emptyContent();
  const root = sample.build(content).digest;
  return { ...describe(sample), content, root };
}

function answer(request: Request, find: (name: string) => Repository | undefined): Response {
  const url = new URL(request.url);
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    const refused = sampleErrorResponse(
      405,
      'UNSUPPORTED',
      `The sample registry is read-only: it has no ${method}`,
    );
    refused.headers.set('Allow', 'GET, HEAD');
    return refused;
  }
  if (/^\/v2\/?$/.test(url.pathname)) return jsonResponse({});
  if (url.pathname === '/v2/_catalog') {
    const names = samples.map((sample) => sample.name);
    return pageResponse(url, names, (repositories) => ({ repositories }));
  }
  const path = /^\/v2\/(.+)\/(?:(manifests|blobs)\/([^/]+)|tags\/list)$/.exec(url.pathname);
  if (path === null)
    return sampleErrorResponse(404, 'NAME_UNKNOWN', 'The sample registry has no such endpoint');
  const [, name = '', kind = 'tags', reference = ''] = path;
  if (parseRepositoryName(name) === undefined) {
    return sampleErrorResponse(400, 'NAME_INVALID', 'That is not the name of a repository', { name });
  }
  const repository = find(name);
  if (repository === undefined) {
    return sampleErrorResponse(404, 'NAME_UNKNOWN', 'The sample registry has no such repository', { name });
  }
  if (kind === 'tags') return pageResponse(url, repository.tags, (tags) => ({ name, tags }));
  // Some clients escape the colon of a digest.
  return contentOf(repository, kind, reference.replace(/%3a/i, ':'), request);
}

function contentOf(repository: Repository, kind: string, text: string, request: Request): Response {
  const reference = parseReference(text);
  if (kind === 'manifests') {
    const digest = reference && manifestDigest(repository, reference);
    const manifest = digest && repository.content.manifests.get(digest);
    return manifest === undefined
      ? sampleErrorResponse(404, 'MANIFEST_UNKNOWN', 'The sample has no such manifest', { reference: text })
      : contentResponse(manifest, request, 'none');
  }
  if (reference?.kind !== 'digest') {
    return sampleErrorResponse(400, 'DIGEST_INVALID', 'A blob is asked for by digest', { digest: text });
  }
  const bytes = repository.content.blobs.get(reference.digest);
  return bytes === undefined
    ? sampleErrorResponse(404, 'BLOB_UNKNOWN', 'The sample has no such blob', { digest: text })
    : contentResponse(
        { bytes, mediaType: mediaTypes.octetStream, digest: reference.digest },
        request,
        'bytes',
      );
}

function manifestDigest(repository: Repository, reference: Reference): Digest | undefined {
  if (reference.kind === 'digest') return reference.digest;
  return repository.tags.includes(reference.tag) ? repository.root : undefined;
}
