import { waitUntil } from 'cloudflare:workers';
import type { Tier } from '../../cache/tiered.ts';
import { systemClock, systemWallClock } from '../../clock.ts';
import { compose } from '../../compose/compose.ts';
import { settledWithin } from '../../concurrency/deadline.ts';
import { formatNearMiss, nearMisses } from '../../config/near-misses.ts';
import { notShown, type SettingProblem } from '../../config/problem.ts';
import { redacted } from '../../config/redacted.ts';
import { createJsonLog, type Level, type Log } from '../../observability/log.ts';
import { isOurs } from '../../registry/cache-entries.ts';
import { fetchWithHeaders } from '../web/fetch-with-headers.ts';
import { type LimitedRuntime, readLimitedSettings } from '../web/node-only.ts';
import { webPlatform } from '../web/platform.ts';
import { misconfigured, startApp } from '../web/start-app.ts';
import { allProblems, asVariables } from '../web/variables.ts';
import { createEdgeCache } from './edge-cache.ts';
import { createKvCache } from './kv-cache.ts';
import { createR2Store } from './r2-store.ts';
import { fetchWithBody, forwardBody, lingerAfterRefusal } from './refused-body.ts';
import { warmUp } from './warm-up.ts';

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

/** The requests of a Worker that got no bindings, which no application can be kept for. */
const withoutBindings = misconfigured([
  {
    variable: 'env',
    value: notShown,
    message:
      'must be the second argument of fetch: the bindings of the Worker, with the settings (docs/embedding.md)',
  },
]);

/** An application, and the end of its use by the clock. */
interface Built {
  readonly application: Application;
  readonly until: number;
}

/** One application per isolate: its requests share its memory. */
const applications = new WeakMap<object, Built>();

/** The life of an application that is the list of problems: the file in KV may be written later, or be read again. */
const problemsMs = 10_000;

/** The longest wait for the file in KV. */
const configMs = 10_000;

// biome-ignore lint/style/noDefaultExport: Workers want one
export default {
  /**
   * Answers a request.
   * @param env the Worker's bindings: settings, and optionally `RECIPES` (a KV namespace) and `LAYERS` (a bucket of R2). It
   *   is the same object for all requests of an isolate.
   */
  async fetch(request: Request, env: object): Promise<Response> {
    if (typeof env !== 'object' || env === null) return withoutBindings.fetch(request);
    const bindings = env as Bindings;
    // Requests do not wait for each other's promises here; of two applications one is kept.
    const built = kept(bindings) ?? (await build(bindings));
    const one = kept(bindings) ?? built;
    applications.set(bindings, one);
    return lingerAfterRefusal(request, await one.application(request));
  },
};

function kept(bindings: object): Built | undefined {
  const built = applications.get(bindings);
  return built && systemClock() < built.until ? built : undefined;
}

/** Variables, or the problems of their source. */
type Configuration =
  | { readonly variables: Readonly<Record<string, unknown>> }
  | { readonly problems: readonly SettingProblem[] };

/** `REGSHIFT_CONFIG` is JSON itself, or a key in KV: a variable has 5 KB at most. */
async function readConfig(
  variables: Readonly<Record<string, unknown>>,
  { RECIPES: namespace }: Bindings,
): Promise<Configuration> {
  const { REGSHIFT_CONFIG: key } = variables;
  if (typeof key !== 'string' || key.trim() === '' || key.trimStart().startsWith('{')) return { variables };
  let message =
    'must be JSON, or a key that there is in the KV namespace bound as RECIPES (deploy/cloudflare.md)';
  try {
    const text = namespace && (await settledWithin(configMs, namespace.get(key)));
    if (text) return { variables: { ...variables, REGSHIFT_CONFIG: text } };
  } catch (error) {
    message += `; KV could not be read: ${String(error)}`;
  }
  // A text that is no JSON may hold a secret.
  const value = redacted('REGSHIFT_CONFIG', key);
  return { problems: [{ variable: 'REGSHIFT_CONFIG', value, message }] };
}

/** A Worker has no start that could fail, so a wrong setting makes every response the list of problems. */
async function build(bindings: Bindings): Promise<Built> {
  const { variables, problems: kinds } = asVariables(bindings);
  const wrongKinds = [...kinds, ...bindingProblems(bindings)];
  const configuration = await readConfig(variables, wrongKinds.length > 0 ? {} : bindings);
  const read =
    'problems' in configuration
      ? { problems: allProblems(wrongKinds, configuration.problems) }
      : readLimitedSettings(configuration.variables, wrongKinds, workers);
  if ('problems' in read) {
    return {
      application: misconfigured(read.problems, logFrom('error')).fetch,
      until: systemClock() + problemsMs,
    };
  }
  const { settings, warnings } = read;
  const log = logFrom(settings.LOG_LEVEL);
  for (const warning of [...warnings, ...nearMisses(variables).map(formatNearMiss)]) log('warn', warning);
  const platform = webPlatform(settings, {
    fetch: fetchWithBody,
    log,
    background: waitUntil,
  });
  const store = bindings.LAYERS ? createR2Store(bindings.LAYERS, log) : platform.store;
  const tiers = tiersOf(bindings, log);
  const app = await startApp(settings, compose(settings, { ...platform, forwardBody, store, tiers }));
  const application = async (request: Request) => {
    // Cloudflare sets this header and replaces the client's.
    const peerAddress = request.headers.get('cf-connecting-ip') ?? undefined;
    return fetchWithHeaders(app, request, { peerAddress });
  };
  return { application, until: Number.POSITIVE_INFINITY };
}

const logFrom = (level: Level) => createJsonLog(level, systemWallClock, (line) => console.log(line));

/** A binding of another kind would fail at its first use, with an error that does not name it. */
function bindingProblems({ RECIPES, LAYERS }: Bindings): SettingProblem[] {
  const wrong = (variable: string, kind: string) => ({
    variable,
    value: notShown,
    message: `must be bound to ${kind}, or left out (deploy/cloudflare.md)`,
  });
  return [
    ...(RECIPES === undefined || (isStore(RECIPES) && !isBucket(RECIPES))
      ? []
      : [wrong('RECIPES', 'a KV namespace')]),
    ...(LAYERS === undefined || isBucket(LAYERS) ? [] : [wrong('LAYERS', 'a bucket of R2')]),
  ];
}

const hasMethods = (binding: unknown, ...names: readonly string[]): boolean =>
  names.every((name) => typeof Reflect.get(Object(binding), name) === 'function');

const isStore = (binding: unknown) => hasMethods(binding, 'get', 'put');
const isBucket = (binding: unknown) => isStore(binding) && hasMethods(binding, 'createMultipartUpload');

/** The words about this runtime. */
const workers: LimitedRuntime = {
  where: 'on Workers',
  listener: 'where Cloudflare speaks TLS and counts (deploy/cloudflare.md)',
  redis:
    'must be left out on Workers, which share what they know by Workers KV: bind a namespace as RECIPES ' +
    '(deploy/cloudflare.md)',
  folder:
    'must not be a folder on Workers, which have no disk: bind a bucket of R2 as LAYERS (deploy/cloudflare.md), or ' +
    'name one of S3 as s3://bucket/prefix?region=…',
};

function tiersOf({ RECIPES: namespace }: Bindings, log: Log): Tier[] {
  const edge: Tier = {
    name: 'edge',
    cache: createEdgeCache(() => caches.open('regshift'), log, waitUntil),
    accepts: () => true,
  };
  if (namespace)
    return [edge, { name: 'kv', cache: createKvCache(namespace, log, waitUntil), accepts: isOurs }];
  log('warn', 'no KV namespace is bound as RECIPES: other locations have to make again what this one made', {
    consequence: 'digests are found all the same, by asking upstream for tags',
  });
  return [edge];
}

await warmUp();
