import { compareInPlace } from '../../auth/compare-password.ts';
import { createMemoryBudget } from '../../cache/memory-budget.ts';
import { systemClock, systemWallClock } from '../../clock.ts';
import { awsKeyOf } from '../../compose/cloud-login.ts';
import type { RuntimePlatform } from '../../compose/platform.ts';
import { bytesPerTurn } from '../../concurrency/work-turns.ts';
import type { Settings } from '../../config/settings.ts';
import type { BlobStore } from '../../layers/store/blob-store.ts';
import { createS3Store } from '../../layers/store/s3/s3-store.ts';
import { noMetrics } from '../../observability/metrics.ts';
import { version } from '../../version.ts';
import { webLayerCodec } from './layers/codec.ts';

/**
 * Bytes of the largest layer that is read: decompressing it by a library takes seconds of processor time, which a Worker
 * has little of, and other requests of a process wait for.
 */
const layerBytes = 268_435_456;

/** The number of subrequests that every paid plan of Workers allows; the free plan allows 50 (REGSHIFT_SUBREQUESTS). */
const subrequests = 1000;

/** Workers end the work of `waitUntil` 30 s after the response (Cloudflare, "Context", waitUntil). */
const backgroundMs = 25_000;

/** Bytes of cache. An isolate has 128 MiB in all; a decoder takes 8 MiB and more. */
const cacheBytes = 33_554_432;

/** Tables that only Node has. */
const notHere = ['responses', 'layer-tails', 'layer-proofs', 'redis'] as const;

/** The parts of a platform that a runtime with the classes of the web has to give. */
type RuntimeParts = Pick<RuntimePlatform, 'fetch' | 'log' | 'background'>;

/**
 * The platform of a runtime of which no more is known than that it has the classes of the web: Workers, and an app that
 * embeds regshift. Its limits are those of Workers, because the processes may be many and small.
 */
export function webPlatform(settings: Settings, parts: RuntimeParts): RuntimePlatform {
  return {
    ...parts,
    clock: systemClock,
    wallClock: systemWallClock,
    metrics: noMetrics,
    mostRequests: Number.POSITIVE_INFINITY,
    signingKeyText: async (setting) => setting,
    signingKeyStep: 'set REGSHIFT_SIGNING_KEY to the output of npx regshift keygen --format jwk',
    manyProcesses: true,
    store: bucketOf(settings, parts),
    codec: webLayerCodec,
    layerBytes,
    subrequests,
    memory: createMemoryBudget(settings.REGSHIFT_CACHE_BYTES ?? cacheBytes, notHere),
    fixedLength,
    forwardBody: (body, length) => (length === undefined ? body : fixedLength(body, length)),
    backgroundMs,
    turn,
    // The web has no threads that a library may start.
    comparePassword: compareInPlace,
  };
}

/** Writes into a bucket of S3 at the same time: each has up to two parts of 8 MiB in memory. */
const mostWrites = 2;

/** @returns undefined for settings that name no bucket, or that node-only.ts should have refused. */
function bucketOf(settings: Settings, { fetch, log }: RuntimeParts): BlobStore | undefined {
  const { REGSHIFT_STORE: bucket } = settings;
  const key = awsKeyOf(settings);
  if (bucket?.kind !== 's3' || key === undefined) return undefined;
  return createS3Store({
    bucket,
    prefix: bucket.prefix,
    credentials: async () => key,
    fetch,
    userAgent: `regshift/${version}`,
    wallClock: systemWallClock,
    log,
    mostWrites,
  });
}

/**
 * A request must not wait for a timer of another request on Workers, so each one pauses by itself before a large
 * document.
 */
function turn(bytes: number): Promise<void> | undefined {
  return bytes < bytesPerTurn ? undefined : new Promise((begin) => setTimeout(begin, 0));
}

/** A class of Workers. It is declared here because this file is compiled with the types of Node, too. */
type Transforms = {
  readonly FixedLengthStream?: new (
    length: number,
  ) => { readonly readable: ReadableStream<Uint8Array>; readonly writable: WritableStream<Uint8Array> };
};

/**
 * A stream that the runtime sends with its length. Workers would send a plain stream in chunks and without its length,
 * which Docker 1.6 and 1.7 refuse. Node sends a stream with the Content-Length of its headers.
 */
function fixedLength(stream: ReadableStream<Uint8Array>, length: number): ReadableStream<Uint8Array> {
  const { FixedLengthStream } = globalThis as Transforms;
  if (FixedLengthStream === undefined) return stream;
  const { readable, writable } = new FixedLengthStream(length);
  // After an error the client gets too few bytes; the log has the reason.
  stream.pipeTo(writable).catch(() => undefined);
  return readable;
}
