import type { Digest } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { parseReference, parseRepositoryName, type Reference } from '../../converters/reference.ts';
import { emptyContent, type SampleContent } from './content.ts';
import { contentResponse, jsonResponse, sampleErrorResponse, withoutBody } from './responses.ts';
import { type Sample, samples, sampleTags } from './samples.ts';

/** A repository of the sample registry. */
export interface SampleRepository {
  readonly name: string;
  readonly tags: readonly string[];
  /** A description in one line, for people. */
  readonly description: string;
}

export interface SampleRegistry {
  /** Replaces the global `fetch`. Only the path and the query of `url` count, not its host. */
  fetch(url: string, init?: RequestInit): Promise<Response>;
  readonly repositories: readonly SampleRepository[];
}

interface Repository extends SampleRepository {
  readonly content: SampleContent;
  /** The digest that every tag of the repository points to. */
  readonly root: Digest;
}

/**
 * Creates a read-only registry inside the process, with small images in every form; regshift serves it if no upstream
 * is configured. It follows the distribution spec and ignores Accept: it always sends the stored bytes. A repository is
 * built at the first request for it, with the same bytes in every runtime.
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
      const response = respond(request, find);
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

function respond(request: Request, find: (name: string) => Repository | undefined): Response {
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

/**
 * One page of a list (distribution-spec 1.1, "Listing Tags"): at most `n` names after `last`, in order, and a Link to
 * the next page if there is one. The page of `n=0` has no names and no Link.
 */
function pageResponse(
  url: URL,
  names: readonly string[],
  body: (page: readonly string[]) => unknown,
): Response {
  const n = url.searchParams.get('n');
  const last = url.searchParams.get('last') ?? '';
  if (n !== null && !/^\d+$/.test(n)) {
    return sampleErrorResponse(400, 'PAGINATION_NUMBER_INVALID', 'n must be a number that is not negative', {
      n,
    });
  }
  const rest = names.toSorted().filter((name) => name > last);
  const page = n === null ? rest : rest.slice(0, Number(n));
  const end = page.at(-1);
  const more = end !== undefined && page.length < rest.length;
  const next = more ? `${url.pathname}?${new URLSearchParams({ n: String(page.length), last: end })}` : '';
  return jsonResponse(body(page), more ? { Link: `<${next}>; rel="next"` } : {});
}
