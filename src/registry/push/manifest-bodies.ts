import { concatenate } from '../../../converters/bytes.ts';
import { limits } from '../../../converters/limits.ts';
import type { Clock } from '../../clock.ts';
import { waitFor } from '../../concurrency/deadline.ts';
import { createLeaseSemaphore, type Lease } from '../../concurrency/lease-semaphore.ts';
import { RegistryError } from '../../errors.ts';
import { ownerOf } from '../../request/requester.ts';
import { contentLength } from '../../upstream/body.ts';
import type { ClientRequest } from '../client-request.ts';

/** A manifest that a client pushes. */
export interface ManifestBody {
  readonly bytes: Uint8Array;
  /** Frees the memory for other pushes; may be called more than once. */
  release(): void;
}

export interface ManifestBodies {
  /**
   * Reads the body of a push. A large one waits for a place in memory.
   * @returns undefined where there is no body.
   * @throws RegistryError MANIFEST_TOO_LARGE, MANIFEST_INVALID, OVERLOADED after 30 s without a place; the reason of the
   *   signal after the client has left.
   */
  read(request: ClientRequest): Promise<ManifestBody | undefined>;
}

/** Bytes of a manifest that needs no place. Most manifests have a few kilobytes, less than a connection's buffers. */
const smallBytes = 65_536;

/** Larger manifests that may be in memory at the same time, of 4 MiB each at most. */
const mostLarge = 8;

/** Milliseconds until a place is free again: on Workers, a request that ends may stop without its `finally`. */
const staleMs = 600_000;

const patienceMs = 30_000;

/** Milliseconds for a large body and the wait for its place: a slow client would hold the place. */
const readMs = 90_000;

interface Place {
  /** Waits for a place, unless there is one. */
  take(): Promise<void>;
  free(): void;
}

export function createManifestBodies(clock: Clock): ManifestBodies {
  const places = createLeaseSemaphore({ limit: mostLarge, staleMs, clock });

  function placeFor({ context: { requester, signal } }: ClientRequest): Place {
    let lease: Lease | undefined;
    let isFreed = false;
    return {
      async take() {
        if (isFreed) throw tooSlow();
        if (lease) return;
        const { granted, leave } = places.request(ownerOf(requester()), 'normal');
        const patience = { milliseconds: patienceMs, late: noPlace };
        lease = await waitFor(granted, signal, patience).catch((error: unknown) => {
          leave();
          throw error;
        });
      },
      free() {
        isFreed = true;
        lease?.release();
      },
    };
  }

  return {
    async read(request) {
      const length = contentLength(request);
      if (length === 0) return undefined;
      if (length !== undefined && length > limits.documentBytes) throw tooLarge(`${length} bytes`);
      const place = placeFor(request);
      const isSmall = length !== undefined && length <= smallBytes;
      try {
        const bytes = await (isSmall ? readWhole(request) : readLarge(request, length, place));
        return bytes && { bytes, release: place.free };
      } catch (error) {
        place.free();
        throw error;
      }
    },
  };
}

function readWhole({ wholeBody, context: { signal } }: ClientRequest): Promise<Uint8Array> {
  return wholeBody().catch(brokenOff(signal));
}

/** Reads a body that is large, or of unknown length: that one takes a place when it turns out to be large. */
async function readLarge(
  request: ClientRequest,
  length: number | undefined,
  place: Place,
): Promise<Uint8Array | undefined> {
  if (length !== undefined) await place.take();
  const { signal } = request.context;
  const read = length === undefined ? readStream(request, place) : readWhole(request);
  return waitFor(read, signal, { milliseconds: readMs, late: tooSlow });
}

async function readStream(
  { body, context: { signal } }: ClientRequest,
  place: Place,
): Promise<Uint8Array | undefined> {
  const reader = body()?.getReader();
  if (reader === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(brokenOff(signal));
    if (done) break;
    length += value.length;
    // The rest is neither read nor cancelled: that would close the connection before the response is sent.
    if (length > limits.documentBytes) throw tooLarge(`more than ${limits.documentBytes} bytes`);
    if (length > smallBytes) await place.take();
    chunks.push(value);
  }
  return concatenate(chunks);
}

function noPlace(): RegistryError {
  const message = 'Too many large manifests are pushed at the same time. Push again in a few seconds.';
  return new RegistryError('OVERLOADED', message, { headers: { 'retry-after': '5' } });
}

function tooSlow(): RegistryError {
  return new RegistryError(
    'MANIFEST_INVALID',
    'The pushed manifest did not arrive whole within 90 seconds. Check the connection, and push again.',
  );
}

function tooLarge(found: string): RegistryError {
  return new RegistryError(
    'MANIFEST_TOO_LARGE',
    `The pushed manifest has ${found}, where ${limits.documentBytes} bytes are the most that registries take. Push an ` +
      'image with fewer layers or annotations.',
  );
}

function brokenOff(signal: AbortSignal | undefined): (cause: unknown) => never {
  return (cause) => {
    signal?.throwIfAborted();
    throw new RegistryError('MANIFEST_INVALID', 'The pushed manifest broke off before its end. Push again.', {
      cause,
    });
  };
}

/** The same request with its body in memory, which can be sent twice. */
export function withBody(request: ClientRequest, bytes: Uint8Array | undefined): ClientRequest {
  return bytes === undefined ? request : { ...request, replacedBody: bytes };
}

/** The same request with another manifest as its body. */
export function withManifest(request: ClientRequest, bytes: Uint8Array, mediaType: string): ClientRequest {
  const headers = new Headers(request.headers);
  headers.set('content-type', mediaType);
  return { ...request, headers, replacedBody: bytes };
}
