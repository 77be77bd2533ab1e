import { type Digest, digestOf } from '../../../converters/digest.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { RegistryError } from '../../errors.ts';
import { discard, refuseEncoded } from '../body.ts';
import type { UpstreamClient, UpstreamRequest, UpstreamResponse } from '../client.ts';
import { errorFromResponse } from '../error-response.ts';
import type { ApiContext } from '../request-context.ts';
import { partOf, wholeOf } from './blob-part.ts';
import { blobPath } from './paths.ts';
import { resumedBody } from './resumed-body.ts';

/** Headers of the request, and whether redirects to storage are followed. */
export type BlobRequestOptions = Pick<UpstreamRequest, 'headers' | 'redirects'>;

export interface GetBlobOptions {
  /** The bytes to get, both ends included; up to the end of the blob without `last`. */
  readonly range?: { readonly first: number; readonly last?: number };
  /** The name of the blob in messages: `layer` if it is known to be a layer. */
  readonly what?: 'blob' | 'layer';
  /** The error's code where upstream does not have the blob. */
  readonly unknown?: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN';
  /** Called with the number of bytes that are read once more after a connection broke. */
  readonly onSkipped?: (bytes: number) => void;
}

/** The digest of content without a byte, of which a registry has no part: it answers 416 to every range (RFC 9110). */
const digestOfNothing = digestOf(new Uint8Array());

/** A blob that regshift reads itself. */
export interface FetchedBlob {
  /** Survives broken connections (`resumedBody`). The caller compares the digest of the bytes. */
  readonly body: ReadableStream<Uint8Array>;
  /** The offset of the first byte of `body`: 0 where the registry ignores `range`. */
  readonly from: number;
  /** The headers of the first response. */
  readonly headers: Headers;
  /** As in `UpstreamResponse`. */
  readonly anonymous: boolean;
}

/**
 * Amazon's public registry answers 401 to every HEAD of a blob, and tells its size to a GET alone
 * (distribution/distribution#4383); Docker 1.8 and 1.9 ask for each layer by HEAD first.
 */
const headRefusals: readonly number[] = [401, 403, 405];

/** Statuses of a HEAD that lead to a GET: refusals of HEAD, and those whose reason only the body of a GET has. */
function leadsToGet(status: number): boolean {
  return (
    headRefusals.includes(status) || (status >= 400 && status < 500 && ![404, 416, 429].includes(status))
  );
}

/**
 * `GET` of a blob as a client asks for it: in parts, or only if it has changed.
 * @returns the response with any status. @throws RegistryError where there is no response.
 */
export function requestBlob(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  context: ApiContext,
  options: BlobRequestOptions = {},
): Promise<UpstreamResponse> {
  return request(client, 'GET', repository, digest, context, { ...options, mayStandStill: true });
}

/**
 * `HEAD` of a blob; `GET`, with redirects followed, where the registry refuses HEAD.
 * @returns the response with any status, whose body the caller discards. @throws RegistryError without a response.
 */
export async function headBlob(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  context: ApiContext,
  options: BlobRequestOptions = {},
): Promise<UpstreamResponse> {
  const head = await request(client, 'HEAD', repository, digest, context, options);
  if (!leadsToGet(head.response.status)) return head;
  await discard(head.response);
  return request(client, 'GET', repository, digest, context, { ...options, redirects: 'follow' });
}

/**
 * Asks upstream whether it has this very blob.
 * @returns whether upstream gives it to anyone, and the headers of its response.
 * @throws RegistryError as upstream refuses: BLOB_UNKNOWN or NAME_UNKNOWN where upstream does not have it.
 */
export async function findBlob(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  context: ApiContext,
): Promise<{ readonly public: boolean; readonly headers: Headers }> {
  const { response, anonymous } = await headBlob(client, repository, digest, context);
  if (!response.ok) throw await blobError(response, repository, digest);
  await discard(response);
  return { public: anonymous, headers: response.headers };
}

/**
 * `GET` of a blob, for regshift to read.
 * @throws RegistryError where upstream does not have or give the blob; UPSTREAM_ANSWER for a layer without a body.
 */
export async function fetchBlob(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  context: ApiContext,
  { range, what = 'blob', unknown, onSkipped }: GetBlobOptions = {},
): Promise<FetchedBlob> {
  const name = `${what} ${digest}`;
  const end = range?.last === undefined ? undefined : range.last + 1;
  const open = (first: number, { signal }: Pick<ApiContext, 'signal'>) => {
    const isPart = first > 0 || end !== undefined;
    const headers = isPart ? { range: `bytes=${first}-${end === undefined ? '' : end - 1}` } : {};
    return request(client, 'GET', repository, digest, { ...context, signal }, { headers });
  };
  const errorOf = (response: Response) => blobError(response, repository, digest, what, unknown);
  const { response, anonymous } = await open(range?.first ?? 0, context);
  if (response.status === 416 && digest === digestOfNothing) {
    await discard(response);
    return { body: new Blob([]).stream(), from: 0, headers: response.headers, anonymous };
  }
  if (!response.ok) throw await errorOf(response);
  await refuseEncoded(response, `the ${name}`);
  const part = partOf(response) ?? wholeOf(response);
  if (response.body === null && what === 'layer') {
    throw new RegistryError('UPSTREAM_ANSWER', `Upstream sent the ${name} without a body.`);
  }
  const body = resumedBody(part, {
    request: async (first, signal) => (await open(first, { signal })).response,
    errorOf,
    end,
    what: name,
    signal: context.signal,
    onSkipped,
  });
  return { body, from: part.from, headers: response.headers, anonymous };
}

/** The error that a bad response to a request for a blob means, as `errorFromResponse` makes it. */
export function blobError(
  response: Response,
  repository: RepositoryName,
  digest: Digest,
  what: NonNullable<GetBlobOptions['what']> = 'blob',
  unknown: NonNullable<GetBlobOptions['unknown']> = 'BLOB_UNKNOWN',
) {
  return errorFromResponse(response, `${what} ${digest} of ${repository}`, unknown);
}

function request(
  client: UpstreamClient,
  method: 'HEAD' | 'GET',
  repository: RepositoryName,
  digest: Digest,
  { credential, budget, signal }: ApiContext,
  options: BlobRequestOptions & Pick<UpstreamRequest, 'mayStandStill'>,
): Promise<UpstreamResponse> {
  const path = blobPath(repository, digest);
  return client.request({ method, path, repository, credential, budget, signal, ...options });
}
