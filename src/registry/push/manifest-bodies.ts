import { limits } from '../../../converters/limits.ts';
import { createByteCollector } from '../../byte-collector.ts';
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
   * Reads the body of a push. Bytes of a large one wait for memory.
   * @returns undefined where there is no body.
   * @throws RegistryError MANIFEST_TOO_LARGE; MANIFEST_INVALID, also after 30 s without a byte; OVERLOADED after 30 s
   *   without memory; the reason of the signal after the client has left.
   */
  read(request: ClientRequest): Promise<ManifestBody | undefined>;
}

/** Bytes of each manifest that are not counted. Most manifests have a few kilobytes, less than a connection's buffers. */
const smallBytes = 65_536;

/**
 * Beyond that, memory is given out in pieces, and only for bytes that have arrived: a client that states a length and
 * sends nothing takes none. Clients of one address have a quarter of it at most, which is two manifests of 4 MiB.
 */
const pieceBytes = 262_144;
const pieces = { limit: 128, perOwner: 32 };

/** Milliseconds until a piece is free again: on Workers, a request that ends may stop without its `finally`. */
const staleMs = 600_000;

/** Milliseconds of the wait for a piece, and for the next bytes of the client. */
const patienceMs = 30_000;

interface Memory {
  /** Waits until there is memory for so many bytes of the body. */
  grow(bytes: number): Promise<void>;
  free(): void;
}

export function createManifestBodies(clock: Clock): ManifestBodies {
  const semaphore = createLeaseSemaphore({ ...pieces, staleMs, clock });

  function memoryOf({ context: { requester, signal } }: ClientRequest): Memory {
    const leases: Lease[] = [];
    return {
      async grow(bytes) {
        while (bytes > smallBytes + leases.length * pieceBytes) {
          const { granted, leave } = semaphore.request(ownerOf(requester()), 'normal');
          const patience = { milliseconds: patienceMs, late: noMemory };
          const lease = await waitFor(granted, signal, patience).catch((error: unknown) => {
            leave();
            throw error;
          });
          leases.push(lease);
        }
      },
      free() {
        for (const lease of leases.splice(0)) lease.release();
      },
    };
  }

  return {
    async read(request) {
      const length = contentLength(request);
      if (length === 0) return undefined;
      if (length !== undefined && length > limits.documentBytes) throw tooLarge(`${length} bytes`);
      const memory = memoryOf(request);
      const isSmall = length !== undefined && length <= smallBytes;
      try {
        const bytes = await (isSmall ? readWhole(request) : readStream(request, memory));
        return bytes && { bytes, release: memory.free };
      } catch (error) {
        memory.free();
        throw error;
      }
    },
  };
}

function readWhole({ wholeBody, context: { signal } }: ClientRequest): Promise<Uint8Array> {
  return wholeBody().catch(brokenOff(signal));
}

async function readStream(
  { body, context: { signal } }: ClientRequest,
  memory: Memory,
): Promise<Uint8Array | undefined> {
  const reader = body()?.getReader();
  if (reader === undefined) return undefined;
  const patience = { milliseconds: patienceMs, late: standsStill };
  const chunks = createByteCollector();
  let length = 0;
  for (;;) {
    const { done, value } = await waitFor(reader.read().catch(brokenOff(signal)), signal, patience);
    if (done) break;
    length += value.length;
    // The rest is neither read nor cancelled: that would close the connection before the response is sent.
    if (length > limits.documentBytes) throw tooLarge(`more than ${limits.documentBytes} bytes`);
    await memory.grow(length);
    chunks.add(value);
  }
  return chunks.whole();
}

function noMemory(): RegistryError {
  const message = 'Too many large manifests are pushed at the same time. Push again in a few seconds.';
  return new RegistryError('OVERLOADED', message, { headers: { 'retry-after': '5' } });
}

function standsStill(): RegistryError {
  return new RegistryError(
    'MANIFEST_INVALID',
    'No byte of the pushed manifest came for 30 seconds. Check the connection, and push again.',
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
