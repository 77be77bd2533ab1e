import type { RepositoryName } from '../../../converters/reference.ts';
import { pause } from '../../concurrency/deadline.ts';
import { RegistryError } from '../../errors.ts';
import type { LayerCodec } from '../../layers/codec.ts';
import {
  beginUpload,
  cancelUpload,
  completeUpload,
  findUpload,
  sendUploadRest,
  type UploadProgress,
} from '../../upstream/api/uploads.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import type { ApiContext } from '../../upstream/request-context.ts';
import { type ContentCheck, createContentCheck, type UploadSource } from './upload-source.ts';

export interface UploadTarget {
  readonly client: UpstreamClient;
  readonly repository: RepositoryName;
  readonly context: ApiContext;
}

export interface UploadOptions {
  readonly codec: Pick<LayerCodec, 'hash'>;
  readonly signal: AbortSignal;
  /** Called with the number of bytes that are sent for the first time. */
  readonly onBytes: (bytes: number) => void;
  /** The upload that a mount has begun in place of mounting. */
  readonly location?: string | undefined;
  /** Milliseconds before the second attempt; it doubles each time. */
  readonly firstPauseMs?: number;
}

/** Failures without a MiB of progress in between before an upload fails, as in `resumedBody`. */
const mostFailures = 5;
const progressBytes = 2 ** 20;

/**
 * Uploads a blob in one piece, as containerd does: POST, then PUT with the whole content (containerd 1.6,
 * remotes/docker/pusher.go). After a broken connection it asks the registry for the bytes that arrived, and sends the rest
 * by PATCH. If the registry does not know the upload any more, it begins again.
 * @throws RegistryError as the registry refuses; the source's own error, also for content with a wrong digest.
 */
export async function uploadResumably(
  target: UploadTarget,
  source: UploadSource,
  options: UploadOptions,
): Promise<void> {
  const { signal } = options;
  const check = createContentCheck(source, options.codec, options.onBytes);
  const attempts = createAttempts(options.firstPauseMs);
  const context = { ...target.context, signal };
  let begun: UploadProgress | undefined = options.location
    ? { location: options.location, received: 0 }
    : undefined;
  for (;;) {
    try {
      begun ??= {
        location: await beginUpload(target.client, target.repository, source.digest, context),
        received: 0,
      };
      return await send({ target, source, check }, begun, signal);
    } catch (error) {
      const mayRepeat = isPassing(error, begun !== undefined) && check.error === undefined && !signal.aborted;
      const pauseMs = mayRepeat ? attempts.fail(begun?.received ?? 0) : undefined;
      if (pauseMs === undefined) {
        if (begun) await cancel(target, begun);
        throw check.error ?? error;
      }
      await pause(pauseMs, signal).catch(async (reason: unknown) => {
        if (begun) await cancel(target, begun);
        throw reason;
      });
      begun = begun && (await progressOf(target, begun, check, context));
    }
  }
}

interface Upload {
  readonly target: UploadTarget;
  readonly source: UploadSource;
  readonly check: ContentCheck;
}

/** Sends the bytes that the registry does not have, and completes the upload. */
async function send(
  { target, source, check }: Upload,
  { location, received }: UploadProgress,
  signal: AbortSignal,
): Promise<void> {
  const { client, repository, context } = target;
  const { digest } = source;
  const end = new AbortController();
  const own = { ...context, signal: AbortSignal.any([signal, end.signal]) };
  const complete = (at: string) => completeUpload(client, repository, at, { digest, size: 0 }, own);
  if (received > 0 && received === check.size) return complete(location);
  const opened = await source.open(received, own.signal);
  const body = check.pass(opened, received);
  const { size } = opened;
  try {
    if (received === 0 || size === undefined) {
      return await completeUpload(client, repository, location, { digest, size, body }, own);
    }
    const rest = { digest, size, body };
    return await complete(await sendUploadRest(client, repository, { location, received }, rest, own));
  } finally {
    // The registry may have answered before the end of the content.
    end.abort();
    if (!body.locked) await body.cancel().catch(() => undefined);
  }
}

/** @returns undefined where the upload must begin again. */
async function progressOf(
  { client, repository }: UploadTarget,
  { location }: UploadProgress,
  { size }: ContentCheck,
  context: ApiContext,
): Promise<UploadProgress | undefined> {
  try {
    const found = await findUpload(client, repository, location, context);
    return found && size !== undefined && found.received <= size ? found : undefined;
  } catch (error) {
    if (error instanceof RegistryError && !context.signal?.aborted) return undefined;
    throw error;
  }
}

/** Cancels an upload. The first error is the one to report. */
async function cancel({ client, repository, context }: UploadTarget, { location }: UploadProgress) {
  await cancelUpload(client, repository, location, context).catch(() => undefined);
}

/**
 * Whether the next attempt may succeed: the connection broke, the registry fails or limits requests, it has forgotten an
 * upload that has begun (404), or the token has expired (401 to a body, which is sent once).
 */
function isPassing(error: unknown, hasBegun: boolean): boolean {
  if (!(error instanceof RegistryError)) return false;
  if (['UPSTREAM_UNREACHABLE', 'UPSTREAM_TIMEOUT', 'RATE_LIMITED'].includes(error.code)) return true;
  const status = Number(error.detail?.upstreamStatus ?? 0);
  return status >= 500 || (hasBegun && (status === 404 || status === 401));
}

interface Attempts {
  /** Counts a failure. @returns the pause before the next attempt; undefined for one failure too many. */
  fail(received: number): number | undefined;
}

function createAttempts(firstPauseMs = 500): Attempts {
  let failures = 0;
  let since = 0;
  return {
    fail(received) {
      if (received - since >= progressBytes) failures = 0;
      since = received;
      failures += 1;
      return failures > mostFailures ? undefined : firstPauseMs * 2 ** (failures - 1);
    },
  };
}
