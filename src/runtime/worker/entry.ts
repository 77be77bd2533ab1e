import { waitUntil } from 'cloudflare:workers';
import { createApp } from '../../app.ts';
import { compareInPlace } from '../../auth/compare-password.ts';
import { createMemoryBudget } from '../../cache/memory-budget.ts';
import type { Tier } from '../../cache/tiered.ts';
import { systemClock, systemWallClock } from '../../clock.ts';
import { createBucketStore } from '../../compose/bucket-store.ts';
import { compose } from '../../compose/compose.ts';
import { bytesPerTurn } from '../../concurrency/work-turns.ts';
import type { SettingProblem } from '../../config/problem.ts';
import { formatProblems } from '../../config/problem.ts';
import { forEveryone } from '../../config/redacted.ts';
import { readSettings, type Settings } from '../../config/settings.ts';
import type { BlobStore } from '../../layers/store/blob-store.ts';
import { createJsonLog, type Log } from '../../observability/log.ts';
import { noMetrics } from '../../observability/metrics.ts';
import { isOurs } from '../../registry/cache-entries.ts';
import { createEdgeCache } from './edge-cache.ts';
import { createKvCache } from './kv-cache.ts';
import { workerLayerCodec } from './layers/codec.ts';
import { nodeOnlyProblems } from './node-only.ts';
import { createR2Store } from './r2-store.ts';
import { forwardBody, lingerAfterRefusal } from './refused-body.ts';

/** The bindings of `wrangler.toml`; every binding is optional. */
interface Bindings {
  /** The KV namespace that all locations share. */
  readonly RECIPES?: KVNamespace;
  /** The bucket with decompressed layers. */
  readonly LAYERS?: R2Bucket;
  /** The settings. */
  readonly [variable: string]: unknown;
}

type Application = (request: Request) => Response | Promise<Response>;

/** One application per isolate: its requests share its memory. */
const applications = new WeakMap<object, Application>();

// biome-ignore lint/style/noDefaultExport: Workers want one
export default {
  async fetch(request: Request, bindings: Bindings): Promise<Response> {
    // Requests do not wait for each other's promises here; of two applications one is kept.
    const built = applications.get(bindings) ?? build(bindings, await readConfig(bindings));
    const application = applications.get(bindings) ?? built;
    applications.set(bindings, application);
    return lingerAfterRefusal(request, await application(request));
  },
};

/** Variables, or the problems of their source. */
type Configuration =
  | { readonly variables: Readonly<Record<string, unknown>> }
  | { readonly problems: readonly SettingProblem[] };

/** `REGSHIFT_CONFIG` is JSON itself, or a key in KV: a variable has 5 KB at most. */
async function readConfig(bindings: Bindings): Promise<Configuration> {
  const variables = variablesOf(bindings);
  const { REGSHIFT_CONFIG: key } = variables;
  if (typeof key !== 'string' || key.trim() === '' || key.trimStart().startsWith('{')) return { variables };
  const text = await bindings.RECIPES?.get(key);
  if (text) return { variables: { ...variables, REGSHIFT_CONFIG: text } };
  const message =
    'must be JSON, or a key that there is in the KV namespace bound as RECIPES (deploy/cloudflare.md)';
  return { problems: [{ variable: 'REGSHIFT_CONFIG', value: JSON.stringify(key), message }] };
}

/** A Worker has no start that could fail, so a wrong setting makes every response the list of problems. */
function build(bindings: Bindings, configuration: Configuration): Application {
  const read = 'variables' in configuration ? readSettings(configuration.variables) : configuration;
  if ('problems' in read) return misconfigured(read.problems);
  const { settings } = read;
  const problems = nodeOnlyProblems(settings);
  if (problems.length > 0) return misconfigured(problems);
  const log = createJsonLog(settings.LOG_LEVEL, systemWallClock, (line) => console.log(line));
  const app = createApp(
    compose(settings, {
      fetch: (url, init) => fetch(url, init),
      clock: systemClock,
      wallClock: systemWallClock,
      log,
      metrics: noMetrics,
      mostRequests: Number.POSITIVE_INFINITY,
      signingKeyText: async (setting) => setting,
      manyProcesses: true,
      tiers: tiersOf(bindings, log),
      store: storeOf(bindings, settings, log),
      codec: workerLayerCodec,
      layerBytes,
      subrequests,
      memory: createMemoryBudget(settings.REGSHIFT_CACHE_BYTES ?? cacheBytes, notHere),
      fixedLength,
      forwardBody,
      background: waitUntil,
      backgroundMs,
      turn,
      // Workers have no threads.
      comparePassword: compareInPlace,
    }),
  );
  return async (request) => {
    const announced: [name: string, value: string][] = [];
    const announce = (name: string, value: string) => void announced.push([name, value]);
    // Cloudflare sets this header and replaces the client's.
    const clientAddress = request.headers.get('cf-connecting-ip') ?? undefined;
    const response = await app.fetch(request, { setHeader: announce, clientAddress });
    for (const [name, value] of announced) response.headers.set(name, value);
    return response;
  };
}

function misconfigured(problems: readonly SettingProblem[]): Application {
  const message = `regshift is not configured rightly.\n${formatProblems(problems.map(forEveryone))}`;
  return () => Response.json({ errors: [{ code: 'UNKNOWN', message }] }, { status: 503 });
}

/**
 * Bytes of the largest layer that a Worker reads: decompressing it takes seconds of CPU time, which a Worker has
 * little of.
 */
const layerBytes = 268_435_456;

/** The number of subrequests that every paid plan allows; the free plan allows 50 (REGSHIFT_SUBREQUESTS). */
const subrequests = 1000;

/** Workers end the work of `waitUntil` 30 s after the response (Cloudflare, "Context", waitUntil). */
const backgroundMs = 25_000;

/** Bytes of cache in an isolate, which has 128 MiB in all; a decoder takes 8 MiB and more. */
const cacheBytes = 33_554_432;

/** Tables that a Worker does not have. */
const notHere = ['responses', 'layer-tails', 'redis'] as const;

/**
 * A request must not wait for a timer of another request here, so each one pauses by itself before a large document.
 */
function turn(bytes: number): Promise<void> | undefined {
  return bytes < bytesPerTurn ? undefined : new Promise((begin) => setTimeout(begin, 0));
}

/** A plain stream would be sent in chunks and without its length, which Docker 1.6 and 1.7 refuse. */
function fixedLength(stream: ReadableStream<Uint8Array>, length: number): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(length);
  // After an error the client gets too few bytes; the log has the reason.
  stream.pipeTo(writable).catch(() => undefined);
  return readable;
}

/** Writes into a bucket of S3 at the same time: each has up to two parts of 8 MiB in memory. */
const bucketWrites = 2;

/** A bucket of R2 is a binding, because it needs no login here. */
function storeOf({ LAYERS: bucket }: Bindings, settings: Settings, log: Log): BlobStore | undefined {
  if (bucket) return createR2Store(bucket, log);
  const { REGSHIFT_STORE: address } = settings;
  if (address?.kind !== 's3') return undefined;
  return createBucketStore(
    address,
    settings,
    {
      fetch: (url, init) => fetch(url, init),
      clock: systemClock,
      wallClock: systemWallClock,
      log,
      background: waitUntil,
    },
    bucketWrites,
  );
}

function tiersOf({ RECIPES: namespace }: Bindings, log: Log): Tier[] {
  const edge: Tier = {
    name: 'edge',
    cache: createEdgeCache(() => caches.open('regshift'), log),
    accepts: () => true,
  };
  if (namespace) return [edge, { name: 'kv', cache: createKvCache(namespace, log), accepts: isOurs }];
  log('warn', 'no KV namespace is bound as RECIPES: other locations have to make again what this one made', {
    consequence: 'digests are found all the same, by asking upstream for tags',
  });
  return [edge];
}

/**
 * The settings among a Worker's bindings, as strings: in wrangler.toml `REGSHIFT_TAG_TTL = 60` is a number, and a key
 * set can be a table.
 */
function variablesOf(bindings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(bindings).map(([name, value]) => [name, textOf(name, value)]));
}

function textOf(name: string, value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const isSetting = name.startsWith('REGSHIFT_') && typeof value === 'object' && value !== null;
  return isSetting ? JSON.stringify(value) : value;
}
