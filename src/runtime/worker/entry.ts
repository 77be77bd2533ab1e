import { waitUntil } from 'cloudflare:workers';
import { createApp } from '../../app.ts';
import { compareInPlace } from '../../auth/compare-password.ts';
import type { Tier } from '../../cache/tiered.ts';
import { compose } from '../../compose/compose.ts';
import type { SettingProblem } from '../../config/problem.ts';
import { formatProblems } from '../../config/problem.ts';
import { readSettings } from '../../config/settings.ts';
import { createJsonLog, type Log } from '../../observability/log.ts';
import { noMetrics } from '../../observability/metrics.ts';
import { isOurs } from '../../registry/cache-entries.ts';
import { createEdgeCache } from './edge-cache.ts';
import { createKvCache } from './kv-cache.ts';
import { workerLayerCodec } from './layers/codec.ts';
import { nodeOnlyProblems } from './node-only.ts';
import { variablesOf } from './variables.ts';

/** What `wrangler.toml` binds; every binding is optional. */
interface Bindings {
  /** A KV namespace that all locations share. */
  readonly RECIPES?: KVNamespace;
  /** The settings. */
  readonly [variable: string]: unknown;
}

type Application = (request: Request) => Response | Promise<Response>;

/** One application an isolate: what it remembers is shared by the requests that the isolate serves. */
const applications = new WeakMap<object, Application>();

// biome-ignore lint/style/noDefaultExport: Workers want one
export default {
  async fetch(request: Request, bindings: Bindings): Promise<Response> {
    // Requests do not wait for one another's promises here: what is built twice is used once.
    const built = applications.get(bindings) ?? build(bindings, await readConfig(bindings));
    const application = applications.get(bindings) ?? built;
    applications.set(bindings, application);
    return application(request);
  },
};

/** Variables, or what is wrong with where they are. */
type Configuration =
  | { readonly variables: Readonly<Record<string, unknown>> }
  | { readonly problems: readonly SettingProblem[] };

/** `REGSHIFT_CONFIG` is JSON itself, or what KV has under that key: a variable holds no more than 5 KB. */
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

/** A Worker has no start that could fail: a bad setting answers every request with the list of problems. */
function build(bindings: Bindings, configuration: Configuration): Application {
  const read = 'variables' in configuration ? readSettings(configuration.variables) : configuration;
  if ('problems' in read) return misconfigured(read.problems);
  const { settings } = read;
  const problems = nodeOnlyProblems(settings);
  if (problems.length > 0) return misconfigured(problems);
  const log = createJsonLog(settings.LOG_LEVEL, Date.now, (line) => console.log(line));
  const app = createApp(
    compose(settings, {
      fetch: (url, init) => fetch(url, init),
      clock: Date.now,
      log,
      metrics: noMetrics,
      mostRequests: Number.POSITIVE_INFINITY,
      signingKeyText: async (setting) => setting,
      manyProcesses: true,
      tiers: tiersOf(bindings, log),
      codec: workerLayerCodec,
      layerBytes,
      subrequests,
      cacheBytes,
      fixedLength,
      background: waitUntil,
      // Workers have no threads.
      comparePassword: compareInPlace,
    }),
  );
  return async (request) => {
    const announced: [name: string, value: string][] = [];
    const announce = (name: string, value: string) => void announced.push([name, value]);
    // Cloudflare writes the header itself, over what a client has sent.
    const clientAddress = request.headers.get('cf-connecting-ip') ?? undefined;
    const response = await app.fetch(request, { setHeader: announce, clientAddress });
    for (const [name, value] of announced) response.headers.set(name, value);
    return response;
  };
}

function misconfigured(problems: readonly SettingProblem[]): Application {
  const message = `regshift is not configured rightly.\n${formatProblems(problems)}`;
  return () => Response.json({ errors: [{ code: 'UNKNOWN', message }] }, { status: 503 });
}

/** CPU time is what a Worker has least of: a layer of this size, unpacked, takes seconds. */
const layerBytes = 268_435_456;

/** What every paid plan allows at least; the free plan has 50 (REGSHIFT_SUBREQUESTS). */
const subrequests = 1000;

/** An isolate has 128 MiB for all that it does: decoders of layers take 8 MiB and more each. */
const cacheBytes = 33_554_432;

/** An answer of a plain stream goes out in chunks and without its length, which Docker 1.6 and 1.7 refuse. */
function fixedLength(stream: ReadableStream<Uint8Array>, length: number): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(length);
  // When it breaks, the client sees too few bytes; who waits for the reason has been told by the log.
  stream.pipeTo(writable).catch(() => undefined);
  return readable;
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
