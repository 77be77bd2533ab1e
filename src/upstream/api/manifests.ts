import { type Digest, isDigest } from '../../../converters/digest.ts';
import { limits } from '../../../converters/limits.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { isAbort } from '../../concurrency/deadline.ts';
import { RegistryError } from '../../errors.ts';
import { pushScope } from '../auth/scope.ts';
import { discard, isBrokenOff, readBounded } from '../body.ts';
import type { UpstreamClient, UpstreamResponse } from '../client.ts';
import { errorFromResponse, isWebPage, isWritten } from '../error-response.ts';
import type { ApiContext } from '../request-context.ts';
import { manifestPath } from './paths.ts';

/** The widest `Accept`, for upstream: Quay and old Artifactory convert down for a narrow one. */
export const widestAccept = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.schema2,
  mediaTypes.generic,
  mediaTypes.schema1Signed,
  mediaTypes.schema1,
  '*/*',
].join(', ');

/** The headers of a response that has a manifest, or would have it if it were asked for by GET. */
export interface ManifestHead {
  /** `Docker-Content-Digest`; undefined where the registry does not send it. It is not verified. */
  readonly digest: Digest | undefined;
  /** "" where the registry sends none. */
  readonly contentType: string;
  readonly headers: Headers;
  /** Upstream gave it to a request without a credential. */
  readonly public: boolean;
}

export interface ManifestResponse extends ManifestHead {
  /** Reads the manifest, once. @throws RegistryError as `readBounded`. */
  readonly bytes: () => Promise<Uint8Array>;
  /** Cancels the body instead. Never throws. */
  readonly discard: () => Promise<void>;
}

/** A manifest to push. */
export interface ManifestUpload {
  readonly mediaType: string;
  readonly size: number;
  /** Has a known length, so that it is not sent in chunks. */
  readonly body: ReadableStream<Uint8Array> | Uint8Array;
}

/** The headers by which a registry may choose its response. */
export interface ManifestHeaders {
  /** The value of `Accept`; "" stands for none. */
  readonly accept: string;
  /** By default that of regshift. */
  readonly userAgent?: string | undefined;
}

/**
 * `HEAD` or `GET` of a manifest.
 * @returns the response with any status. @throws RegistryError where there is no response.
 */
export function requestManifest(
  client: UpstreamClient,
  method: 'HEAD' | 'GET',
  repository: RepositoryName,
  reference: string,
  { credential, budget, signal }: ApiContext,
  { accept, userAgent }: ManifestHeaders = { accept: widestAccept },
): Promise<UpstreamResponse> {
  const path = manifestPath(repository, reference);
  const context = { credential, budget, signal };
  return client.request({ method, path, repository, ...context, headers: { accept }, userAgent });
}

/** `HEAD` of a manifest. @throws RegistryError as `manifestError` where upstream does not have or give it. */
export async function headManifest(
  client: UpstreamClient,
  repository: RepositoryName,
  reference: string,
  context: ApiContext,
): Promise<ManifestHead> {
  const answer = await requestManifest(client, 'HEAD', repository, reference, context);
  if (!answer.response.ok) throw await manifestError(answer.response, repository, reference);
  await discard(answer.response);
  return headOf(answer);
}

/**
 * `GET` of a manifest. A body that breaks off is requested once more, so that one cut connection fails no pull.
 * @throws RegistryError as `manifestError` where upstream does not have or give it; UPSTREAM_ANSWER for a web page.
 */
export async function fetchManifest(
  client: UpstreamClient,
  repository: RepositoryName,
  reference: string,
  context: ApiContext,
): Promise<ManifestResponse> {
  const request = () => requestWholeManifest(client, repository, reference, context);
  const first = await request();
  const bytes = () =>
    first.bytes().catch(async (error: unknown) => {
      if (!isBrokenOff(error)) throw error;
      const again = await request().catch((later: unknown) => {
        throw isAbort(later) ? later : error;
      });
      // The head of the first response is used already, and a tag may have moved. Bytes of a digest are verified later.
      if (isDigest(reference) || again.digest === first.digest) return again.bytes();
      await again.discard();
      throw error;
    });
  return { ...first, bytes };
}

async function requestWholeManifest(
  client: UpstreamClient,
  repository: RepositoryName,
  reference: string,
  context: ApiContext,
): Promise<ManifestResponse> {
  const answer = await requestManifest(client, 'GET', repository, reference, context);
  const { response } = answer;
  if (!response.ok) throw await manifestError(response, repository, reference);
  const head = headOf(answer);
  // A login page or a page of a proxy comes with 200 too.
  if (isWebPage(response)) {
    await discard(response);
    throw webPage(repository, reference);
  }
  const bytes = () =>
    readBounded(response, limits.documentBytes, 'the manifest', client.answerMs).catch((error) => {
      answer.onBroken?.(error);
      throw error;
    });
  return { ...head, bytes, discard: () => discard(response) };
}

function webPage(repository: RepositoryName, reference: string): RegistryError {
  return new RegistryError(
    'UPSTREAM_ANSWER',
    `Upstream sent a web page (text/html) as the manifest ${reference} of ${repository}. Check that ` +
      'REGSHIFT_UPSTREAM names a registry, and that nothing in front of it asks for a login.',
  );
}

function headOf({ response: { headers }, anonymous }: UpstreamResponse): ManifestHead {
  const digest = headers.get('docker-content-digest');
  return {
    digest: isDigest(digest) ? digest : undefined,
    contentType: headers.get('content-type') ?? '',
    headers,
    public: anonymous,
  };
}

/** `PUT` of a manifest. @throws RegistryError as `manifestError` where upstream does not take it. */
export async function pushManifest(
  client: UpstreamClient,
  repository: RepositoryName,
  reference: string,
  { mediaType, size, body }: ManifestUpload,
  { credential, budget, signal }: ApiContext,
): Promise<void> {
  const { response } = await client.request({
    method: 'PUT',
    path: manifestPath(repository, reference),
    repository,
    scopes: [pushScope(repository)],
    credential,
    budget,
    signal,
    headers: { 'content-type': mediaType, 'content-length': String(size) },
    body,
  });
  if (!isWritten(response)) throw await manifestError(response, repository, reference);
  await discard(response);
}

/** The error that a bad response to a request for a manifest means, as `errorFromResponse` makes it. */
export function manifestError(response: Response, repository: RepositoryName, reference: string) {
  return errorFromResponse(response, `manifest ${reference} of ${repository}`, 'MANIFEST_UNKNOWN');
}
