import type { Digest } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { pullScope, pushScope } from '../auth/scope.ts';
import { discard } from '../body.ts';
import type { UpstreamClient } from '../client.ts';
import { errorFromResponse, isWritten } from '../error-response.ts';
import { onOwnOrigin } from '../origins.ts';
import { locationOf } from '../redirect.ts';
import type { ApiContext } from '../request-context.ts';
import { uploadsPath } from './paths.ts';

/** The content of a blob to upload. */
export interface BlobUpload {
  readonly digest: Digest;
  /** Bytes of `body`; undefined sends the body in chunks of HTTP. */
  readonly size: number | undefined;
  /** Has the length `size`. Absent where the registry has all bytes already. */
  readonly body?: ReadableStream<Uint8Array>;
}

/** An upload that has begun at a registry. */
export interface UploadProgress {
  /** The URL that the upload goes on at, as in `beginUpload`. */
  readonly location: string;
  /** Bytes that the registry has. */
  readonly received: number;
}

/**
 * `POST`: begins the upload of a blob.
 * @returns the URL that the upload goes on at, as upstream writes it: another spelling may not be what was signed.
 * @throws RegistryError as upstream refuses; UPSTREAM_ANSWER for a Location that must not be followed.
 */
export async function beginUpload(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  context: ApiContext,
): Promise<string> {
  const path = uploadsPath(repository);
  const { response } = await client.request({
    ...pushTo(repository, context),
    method: 'POST',
    path,
    headers: { 'content-length': '0' },
  });
  if (response.status !== 202) throw await uploadError(response, repository, digest);
  await discard(response);
  return uploadLocationOf(response, new URL(`${client.id}${path}`), client, repository).spelled;
}

/**
 * `POST` that asks for a mount: the registry takes the blob from another of its repositories (distribution-spec 1.1,
 * "Mounting a blob from another repository").
 * @returns undefined if the blob is mounted, and otherwise the URL of the upload that the registry has begun in its place.
 * @throws RegistryError as upstream refuses; UPSTREAM_ANSWER for a Location that must not be followed.
 */
export async function mountBlob(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  from: RepositoryName,
  context: ApiContext,
): Promise<string | undefined> {
  const path = `${uploadsPath(repository)}?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
  const { response } = await client.request({
    ...pushTo(repository, context),
    scopes: [pushScope(repository), pullScope(from)],
    method: 'POST',
    path,
    headers: { 'content-length': '0' },
  });
  if (response.status !== 201 && response.status !== 202) {
    throw await uploadError(response, repository, digest);
  }
  await discard(response);
  if (response.status === 201) return undefined;
  return uploadLocationOf(response, new URL(`${client.id}${path}`), client, repository).spelled;
}

/**
 * `GET` of an upload whose connection broke.
 * @returns undefined where the registry does not know the upload any more: docker-registry 2.8 gives up an upload that
 *   breaks within a request.
 * @throws RegistryError where there is no response.
 */
export async function findUpload(
  client: UpstreamClient,
  repository: RepositoryName,
  location: string,
  context: ApiContext,
): Promise<UploadProgress | undefined> {
  const url = new URL(location);
  const { response } = await client.request({ ...pushTo(repository, context), method: 'GET', path: '', url });
  await discard(response);
  const received = receivedBytes(response);
  if (response.status !== 204 || received === undefined) return undefined;
  const moved = response.headers.has('location');
  return {
    location: moved ? uploadLocationOf(response, url, client, repository).spelled : location,
    received,
  };
}

/**
 * `PATCH`: sends the rest of a blob (distribution-spec 1.1, "Pushing a blob in chunks").
 * @param body the bytes after those that the registry has.
 * @param size bytes of the whole blob.
 * @returns the URL that the upload goes on at. @throws RegistryError as upstream refuses.
 */
export async function sendUploadRest(
  client: UpstreamClient,
  repository: RepositoryName,
  { location, received }: UploadProgress,
  { digest, size, body }: BlobUpload & { readonly size: number },
  context: ApiContext,
): Promise<string> {
  const url = new URL(location);
  const { response } = await client.request({
    ...pushTo(repository, context),
    method: 'PATCH',
    path: '',
    url,
    headers: {
      'content-type': mediaTypes.octetStream,
      'content-length': String(size - received),
      'content-range': `${received}-${size - 1}`,
    },
    body,
  });
  if (response.status !== 202) throw await uploadError(response, repository, digest);
  await discard(response);
  return uploadLocationOf(response, url, client, repository).spelled;
}

/** Bytes that a registry has of an upload: `Range: 0-<last byte>`; docker-registry writes `0-0` for none. */
function receivedBytes({ headers }: Response): number | undefined {
  const [, last] = /^(?:bytes=)?0-(\d{1,15})$/.exec(headers.get('range') ?? '') ?? [];
  if (last === undefined) return undefined;
  return last === '0' ? 0 : Number(last) + 1;
}

/**
 * The Location of an upload, in upstream's answer to a request for `requested`.
 * @param client knows the other origins of its registry (`onOwnOrigin`).
 * @returns the URL, and the same as upstream spelled it where that is a whole URL: another spelling may not be what was
 *   signed.
 * @throws RegistryError UPSTREAM_ANSWER for a Location that must not be followed.
 */
export function uploadLocationOf(
  { status, headers }: Response,
  requested: URL,
  { id, origins }: Pick<UpstreamClient, 'id' | 'origins'>,
  repository: RepositoryName,
): { readonly url: URL; readonly spelled: string } {
  const written = headers.get('location') ?? '';
  // An upload that has moved to another server is not the registry's any more.
  const known = requested.href.startsWith(`${id}/`) ? origins : undefined;
  const stated = inTls(onOwnOrigin(written, requested, known, uploadsPath(repository)), requested);
  const url = locationOf({ status, headers: new Headers({ location: stated }) }, requested);
  return { url, spelled: URL.canParse(stated) ? stated : url.href };
}

/**
 * `PUT`: sends all of a blob, or nothing after the last byte, and the registry commits the blob if its digest fits.
 * @param location as `beginUpload` returns it. @throws RegistryError as upstream refuses.
 */
export async function completeUpload(
  client: UpstreamClient,
  repository: RepositoryName,
  location: string,
  { digest, size, body }: BlobUpload,
  context: ApiContext,
): Promise<void> {
  const { response } = await client.request({
    ...pushTo(repository, context),
    method: 'PUT',
    path: '',
    url: new URL(`${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`),
    headers: {
      'content-type': mediaTypes.octetStream,
      ...(size === undefined ? {} : { 'content-length': String(size) }),
    },
    body,
  });
  if (!isWritten(response)) throw await uploadError(response, repository, digest);
  await discard(response);
}

/** `DELETE`: gives up an upload. @throws RegistryError where there is no response; its status does not matter. */
export async function cancelUpload(
  client: UpstreamClient,
  repository: RepositoryName,
  location: string,
  context: ApiContext,
): Promise<void> {
  const url = new URL(location);
  const { response } = await client.request({
    ...pushTo(repository, context),
    method: 'DELETE',
    path: '',
    url,
  });
  await discard(response);
}

function pushTo(repository: RepositoryName, { credential, budget, signal }: ApiContext) {
  return { repository, scopes: [pushScope(repository)], credential, budget, signal };
}

function uploadError(response: Response, repository: RepositoryName, digest: Digest) {
  return errorFromResponse(response, `upload of ${digest} to ${repository}`, 'NAME_UNKNOWN');
}

/** Writes `https:` into a Location of a registry behind a TLS terminator, which may name itself by `http:`. */
function inTls(location: string, { host, protocol }: URL): string {
  const plain = `http://${host}/`;
  return protocol === 'https:' && location.startsWith(plain)
    ? `https://${host}/${location.slice(plain.length)}`
    : location;
}
