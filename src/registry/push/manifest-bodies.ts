import { concatenate } from '../../../converters/bytes.ts';
import { limits } from '../../../converters/limits.ts';
import type { Clock } from '../../clock.ts';
import { RegistryError } from '../../errors.ts';
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
   * Reads the body of a push.
   * @returns undefined where there is no body, or no memory for it now: then the request is forwarded as it comes.
   * @throws RegistryError MANIFEST_TOO_LARGE, MANIFEST_INVALID; the reason of the signal after the client has left.
   */
  read(request: ClientRequest): Promise<ManifestBody | undefined>;
}

/** Bytes of a manifest that needs no turn. Most manifests have a few kilobytes, less than a connection's buffers. */
const smallBytes = 65_536;

/** Larger manifests that may be in memory at the same time, of 4 MiB each at most. */
const mostLarge = 8;

/** Milliseconds until a place is free again: on Workers, a request that ends may stop without its `finally`. */
const staleMs = 600_000;

export function createManifestBodies(clock: Clock): ManifestBodies {
  const large = new Map<object, number>();

  function admit(length: number | undefined): (() => void) | undefined {
    if (length !== undefined && length <= smallBytes) return () => undefined;
    for (const [place, since] of large) if (clock() - since > staleMs) large.delete(place);
    if (large.size >= mostLarge) return undefined;
    const place = {};
    large.set(place, clock());
    return () => void large.delete(place);
  }

  return {
    async read(request) {
      const length = contentLength(request);
      if (length === 0) return undefined;
      if (length !== undefined && length > limits.documentBytes) throw tooLarge(`${length} bytes`);
      const release = admit(length);
      if (release === undefined) return undefined;
      try {
        const bytes = length === undefined ? await readStream(request) : await readWhole(request);
        if (bytes !== undefined) return { bytes, release };
      } catch (error) {
        release();
        throw error;
      }
      release();
      return undefined;
    },
  };
}

function readWhole({ wholeBody, context: { signal } }: ClientRequest): Promise<Uint8Array> {
  return wholeBody().catch(brokenOff(signal));
}

async function readStream({ body, context: { signal } }: ClientRequest): Promise<Uint8Array | undefined> {
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
    chunks.push(value);
  }
  return concatenate(chunks);
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
