import type { Digest } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { pushScope } from '../../upstream/auth/scope.ts';
import { discard } from '../../upstream/body.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import { errorFromResponse } from '../../upstream/error-response.ts';
import { inTls } from '../../upstream/in-tls.ts';
import { locationOf } from '../../upstream/redirect.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { FixedLength } from '../registry.ts';
import type { BlobContent } from './blob-content.ts';

export interface Uploader {
  readonly client: UpstreamClient;
  readonly fixedLength: FixedLength;
}

/**
 * Uploads a blob in one piece, with the caller's own right: POST, then PUT with the whole content, as containerd does
 * (containerd 1.6, remotes/docker/pusher.go). The registry commits the blob only if its digest fits.
 * @throws RegistryError as upstream refuses; the stream's own error where the content is wrong.
 */
export async function uploadBlob(
  uploader: Uploader,
  repository: RepositoryName,
  content: BlobContent,
  context: RequestContext,
): Promise<void> {
  const { stream, failure } = rememberingFailure(content.stream);
  // An upload that is begun has an end: until its address is known, only the usual deadline of a request ends it.
  const start = startUpload(uploader, repository, content.digest, { ...context, signal: undefined });
  const location = await start.catch(async (error: unknown) => {
    await stream.cancel().catch(() => undefined);
    throw error;
  });
  const end = new AbortController();
  const signal = context.signal ? AbortSignal.any([context.signal, end.signal]) : end.signal;
  try {
    await sendContent(uploader, repository, { ...content, stream }, location, { ...context, signal });
  } catch (error) {
    // Upstream may have refused the content before the end of it.
    end.abort(error);
    await cancelUpload(uploader, repository, location, context);
    throw failure() ?? error;
  }
}

/** @returns where the upload goes on, as upstream writes it: another spelling may not be what was signed. */
async function startUpload(
  { client }: Uploader,
  repository: RepositoryName,
  digest: Digest,
  context: RequestContext,
): Promise<string> {
  const path = `/v2/${repository}/blobs/uploads/`;
  const { response } = await client.request({
    ...requestOf(repository, context),
    method: 'POST',
    path,
    headers: { 'content-length': '0' },
  });
  if (response.status !== 202) throw await refusal(response, repository, digest);
  await discard(response);
  const asked = new URL(`${client.id}${path}`);
  const said = inTls(response.headers.get('location') ?? '', asked);
  const { href } = locationOf({ status: response.status, headers: new Headers({ location: said }) }, asked);
  return URL.canParse(said) ? said : href;
}

async function sendContent(
  { client, fixedLength }: Uploader,
  repository: RepositoryName,
  { digest, size, stream }: BlobContent,
  location: string,
  context: RequestContext,
): Promise<void> {
  const { response } = await client.request({
    ...requestOf(repository, context),
    method: 'PUT',
    path: '',
    url: new URL(`${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`),
    headers: { 'content-type': mediaTypes.octetStream, 'content-length': String(size) },
    body: fixedLength(stream, size),
  });
  if (response.status !== 201) throw await refusal(response, repository, digest);
  await discard(response);
}

/** Leaves nothing half done at upstream. The client may have gone, and the first failure is the one to tell. */
async function cancelUpload(
  { client }: Uploader,
  repository: RepositoryName,
  location: string,
  context: RequestContext,
): Promise<void> {
  try {
    const gone = { ...context, signal: undefined };
    const url = new URL(location);
    const request = { ...requestOf(repository, gone), method: 'DELETE', path: '', url } as const;
    const { response } = await client.request(request);
    await discard(response);
  } catch {
    // Registries remove uploads that are not completed.
  }
}

function requestOf(repository: RepositoryName, { credential, budget, signal }: RequestContext) {
  return { repository, scopes: [pushScope(repository)], credential, budget, signal };
}

function refusal(response: Response, repository: RepositoryName, digest: Digest) {
  return errorFromResponse(response, `upload of ${digest} to ${repository}`, 'NAME_UNKNOWN');
}

/** The same stream, with its failure: the request that sends a broken stream fails without a reason. */
function rememberingFailure(source: ReadableStream<Uint8Array>) {
  let failed: unknown;
  const reader = source.getReader();
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          failed = error;
          controller.error(error);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return { stream, failure: () => failed };
}
