import { eitherSignal, pause } from '../../concurrency/deadline.ts';
import { hasCode, RegistryError } from '../../errors.ts';
import { discard, refuseEncoded } from '../body.ts';
import { isSilence } from '../network-errors.ts';
import { type BlobPart, partOf, sizeOfUnsatisfied } from './blob-part.ts';

export interface ResumedBodyOptions {
  /**
   * Requests the rest of the blob at the registry's own URL, because signed URLs of its storage expire.
   * @param first the first byte.
   * @returns a response with any status. @throws RegistryError where there is no response.
   */
  readonly request: (first: number, signal: AbortSignal) => Promise<Response>;
  /** The error for a response with an error status. */
  readonly errorOf: (response: Response) => Promise<RegistryError>;
  /**
   * The end of the wanted bytes, not included; absent for the rest of the blob. Only a first response that is a part
   * ends there: one with the whole blob is read to its end.
   */
  readonly end?: number | undefined;
  /** The blob in messages, like `layer sha256:…`. */
  readonly what: string;
  /** Aborts the body, and its further requests. */
  readonly signal: AbortSignal | undefined;
  /** Called with the number of bytes that are read once more, from a registry that sends no parts. */
  readonly onSkipped?: ((bytes: number) => void) | undefined;
}

/**
 * Broken connections within one MiB of progress before the body fails: Docker tries a layer five times
 * (moby, distribution/xfer/download.go, `maxDownloadAttempts`), and a MiB is the progress that skopeo wants between two
 * resumptions (containers/image, docker/body_reader.go, `bodyReaderMinimumProgress`).
 */
const mostBreaks = 5;
const progressBytes = 2 ** 20;

/** Milliseconds before the second request without a byte in between; it doubles each time. */
const firstPauseMs = 500;

/**
 * The body of a blob, which survives broken connections: it requests the rest with `Range: bytes=<next>-`, as containerd
 * does (core/remotes/docker/httpreadseeker.go), and skips what it has read if the registry sends all of the blob. It
 * sends no `If-Range`: the digest determines the content, and the reader compares the digest at the end. A registry that
 * sends no bytes for a minute is not asked again, since clients have given up by then.
 * @returns a stream that errors with RegistryError when the rest is not available or does not fit, and with the signal's
 *   reason.
 */
export function resumedBody(first: BlobPart, options: ResumedBodyOptions): ReadableStream<Uint8Array> {
  const { signal, what } = options;
  const cancelled = new AbortController();
  let reader = first.body.getReader();
  /** The offset of the next byte of the stream. */
  let at = first.from;
  /** Bytes of the current response that were read before. */
  let left = 0;
  let size = first.size;
  const end = () => (first.isWhole ? size : smaller(options.end, size));
  const breaks = createBreakCount(at);

  /** @returns the next chunk; undefined where the response has ended. */
  async function readFresh(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return undefined;
      const skipped = Math.min(left, value.length);
      left -= skipped;
      if (skipped > 0) options.onSkipped?.(skipped);
      if (value.length > skipped) return beforeEnd(value.subarray(skipped));
    }
  }

  /** The bytes of a chunk before the end: a response to a request for the rest of a part may go beyond it. */
  function beforeEnd(bytes: Uint8Array): Uint8Array | undefined {
    const wanted = Math.max(0, (end() ?? Number.POSITIVE_INFINITY) - at);
    if (bytes.length <= wanted) return bytes;
    reader.cancel().catch(() => undefined);
    return wanted === 0 ? undefined : bytes.subarray(0, wanted);
  }

  function isBreak(error: unknown): boolean {
    if (signal?.aborted || cancelled.signal.aborted || error instanceof RegistryError) return false;
    return !isSilence(error);
  }

  async function resume(cause: unknown): Promise<'complete' | 'continued'> {
    const ended = eitherSignal(signal, cancelled.signal);
    for (let reason = cause; ; ) {
      const pauseMs = breaks.count(at);
      if (pauseMs === undefined) throw brokenOff(what, at, reason);
      if (pauseMs > 0) await pause(pauseMs, ended);
      const response = await options.request(at, ended).catch((error: unknown) => {
        if (!isUnreachable(error)) throw error;
        return error;
      });
      if (response instanceof RegistryError) reason = response;
      else if (response.status >= 500) reason = await options.errorOf(response);
      else return attach(response);
    }
  }

  async function attach(response: Response): Promise<'complete' | 'continued'> {
    if (response.status === 416) {
      await discard(response);
      // The connection broke after the last byte of a body without a length.
      if (size === undefined && sizeOfUnsatisfied(response) === at) return 'complete';
      throw misfit(what, at, 'the status 416');
    }
    if (!response.ok) throw await options.errorOf(response);
    await refuseEncoded(response, `the ${what}`);
    const part = partOf(response);
    if (part === undefined || (part.from !== at && !part.isWhole) || conflicts(size, part.size)) {
      const range = response.headers.get('content-range')?.slice(0, 80);
      await discard(response);
      const length = `a length of ${part?.size ?? 'no'} bytes`;
      throw misfit(what, at, range === undefined ? length : `Content-Range ${JSON.stringify(range)}`);
    }
    size ??= part.size;
    left = at - part.from;
    reader = part.body.getReader();
    if (cancelled.signal.aborted) reader.cancel().catch(() => undefined);
    return 'continued';
  }

  async function next(): Promise<Uint8Array | undefined> {
    for (;;) {
      let cause: unknown;
      try {
        const bytes = await readFresh();
        at += bytes?.length ?? 0;
        if (bytes !== undefined) return bytes;
        cause = new Error('The response ended early');
        if (end() === undefined && left === 0) return undefined;
      } catch (error) {
        if (!isBreak(error)) throw error;
        cause = error;
      }
      if (at >= (end() ?? Number.POSITIVE_INFINITY)) return undefined;
      if (cancelled.signal.aborted) return undefined;
      if ((await resume(cause)) === 'complete') return undefined;
    }
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await next();
        if (cancelled.signal.aborted) return;
        if (bytes === undefined) controller.close();
        else controller.enqueue(bytes);
      },
      async cancel(reason) {
        cancelled.abort(reason);
        // A broken response has nothing left to cancel.
        await reader.cancel(reason).catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Counts broken connections. */
interface BreakCount {
  /**
   * Counts one break.
   * @param at the offset of the next byte.
   * @returns the pause before the next request, in milliseconds; undefined for one break too many.
   */
  count(at: number): number | undefined;
}

function createBreakCount(from: number): BreakCount {
  let since = from;
  let last = from;
  let breaks = 0;
  let idle = 0;
  return {
    count(at) {
      if (at - since >= progressBytes) [breaks, since] = [0, at];
      idle = at > last ? 0 : idle + 1;
      last = at;
      breaks += 1;
      if (breaks > mostBreaks) return undefined;
      return idle === 0 ? 0 : firstPauseMs * 2 ** (idle - 1);
    },
  };
}

function smaller(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

function conflicts(known: number | undefined, found: number | undefined): boolean {
  return known !== undefined && found !== undefined && known !== found;
}

function isUnreachable(error: unknown): error is RegistryError {
  return hasCode(error, 'UPSTREAM_UNREACHABLE');
}

function brokenOff(what: string, at: number, cause: unknown): RegistryError {
  return new RegistryError(
    'UPSTREAM_ANSWER',
    `Upstream broke off before the ${what} was complete, and again each time that regshift requested the rest from ` +
      `byte ${at}. Try again.`,
    { cause },
  );
}

function misfit(what: string, at: number, found: string): RegistryError {
  return new RegistryError(
    'UPSTREAM_ANSWER',
    `Upstream broke off the ${what} at byte ${at}, and its response to the request for the rest has ${found}, which ` +
      'does not fit. Try again; if the error stays, check the registry and the proxies in front of it.',
  );
}
