import type { Digest } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { pushScope } from '../auth/scope.ts';
import { discard } from '../body.ts';
import type { UpstreamClient } from '../client.ts';
import { errorFromResponse } from '../error-response.ts';
import { onOwnOrigin } from '../origins.ts';
import { locationOf } from '../redirect.ts';
import type { ApiContext } from '../request-context.ts';
import { uploadsPath } from './paths.ts';

/** The content of a blob to upload. */
export interface BlobUpload {
  readonly digest: Digest;
  readonly size: number;
  /** Has a known length, so that it is not sent in chunks. */
  readonly body: ReadableStream<Uint8Array>;
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
 * `PUT`: sends all of a blob, which the registry commits if its digest fits.
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
    headers: { 'content-type': mediaTypes.octetStream, 'content-length': String(size) },
    body,
  });
  if (response.status !== 201) throw await uploadError(response, repository, digest);
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
