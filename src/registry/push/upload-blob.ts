import type { Digest } from '../../../converters/digest.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { eitherSignal } from '../../concurrency/deadline.ts';
import { beginUpload, cancelUpload, completeUpload } from '../../upstream/api/uploads.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import type { RequestContext } from '../../upstream/request-context.ts';

/** Gives a stream the length that it has. */
export type FixedLength = (stream: ReadableStream<Uint8Array>, length: number) => ReadableStream<Uint8Array>;

/**
 * Prepares a client's body for upstream.
 * @param length bytes of the body; undefined where the client announced none.
 */
export type ForwardBody = (
  body: ReadableStream<Uint8Array>,
  length: number | undefined,
) => ReadableStream<Uint8Array>;

/** A blob to upload. Its bytes are verified while they are read, and the stream fails where they are wrong. */
export interface BlobContent {
  readonly digest: Digest;
  readonly size: number;
  readonly stream: ReadableStream<Uint8Array>;
}

export interface Uploader {
  readonly client: UpstreamClient;
  readonly fixedLength: FixedLength;
}

/** A client's push to one repository. All requests to upstream carry the client's own login. */
export interface Pusher {
  readonly repository: RepositoryName;
  readonly context: RequestContext;
}

/**
 * Uploads a blob in one piece, with the caller's own right: POST, then PUT with the whole content, as containerd does
 * (containerd 1.6, remotes/docker/pusher.go). The registry commits the blob only if its digest fits.
 * @throws RegistryError as upstream refuses; the stream's own error where the content is wrong.
 */
export async function uploadBlob(uploader: Uploader, pusher: Pusher, content: BlobContent): Promise<void> {
  const { client, fixedLength } = uploader;
  const { repository, context } = pusher;
  const { stream, streamError } = rememberingError(content.stream);
  // An upload that was begun must be completed or cancelled, so a client that leaves does not end this request.
  const start = beginUpload(client, repository, content.digest, { ...context, signal: undefined });
  const location = await start.catch(async (error: unknown) => {
    await stream.cancel().catch(() => undefined);
    throw error;
  });
  const end = new AbortController();
  const signal = eitherSignal(context.signal, end.signal);
  const { digest, size } = content;
  const body = fixedLength(stream, size);
  try {
    await completeUpload(client, repository, location, { digest, size, body }, { ...context, signal });
  } catch (error) {
    // Upstream may have refused the content before the end of it, or the request for it was never sent.
    end.abort(error);
    if (!body.locked) await body.cancel(error).catch(() => undefined);
    await cancel(client, pusher, location);
    throw streamError() ?? error;
  }
}

/** Cancels an upload at upstream. The client may have left, and the first error is the one to report. */
async function cancel(
  client: UpstreamClient,
  { repository, context }: Pusher,
  location: string,
): Promise<void> {
  try {
    await cancelUpload(client, repository, location, { ...context, signal: undefined });
  } catch {
    // Registries remove such uploads, docker-registry after a week (registry/handlers/app.go, `uploadPurgeDefaultConfig`).
  }
}

/** The same stream, with its error: a request that sends a broken stream fails without a reason. */
function rememberingError(source: ReadableStream<Uint8Array>) {
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
  return { stream, streamError: () => failed };
}
