import { generateSigningKey, readSigningKey, type SigningKey } from '../../converters/crypto/signing-key.ts';
import type { Dependencies } from '../app.ts';
import { createLoginQueue } from '../auth/login-queue.ts';
import { type Cache, createMemoryCache } from '../cache/cache.ts';
import { createTieredCache, meteredCache, validatedCache } from '../cache/tiered.ts';
import type { Settings } from '../config/settings.ts';
import { createHealth } from '../http/health.ts';
import { createInFlight } from '../http/in-flight.ts';
import { isLoopback } from '../http/loopback.ts';
import type { RouteOptions } from '../http/route.ts';
import { defaultDecompressionLimits } from '../layers/decompression-limits.ts';
import { createLayerLeases } from '../layers/inspector.ts';
import { createLayerStores } from '../layers/store/layer-store.ts';
import { createTails } from '../layers/tails.ts';
import { createSearchLine } from '../registry/bounded-search.ts';
import { isIntact } from '../registry/cache-entries.ts';
import { createManifestBodies } from '../registry/push/manifest-bodies.ts';
import { createRepositoryVersions } from '../registry/repository-versions.ts';
import { once } from './once.ts';
import type { RuntimePlatform } from './platform.ts';
import { type ComposedRoute, routeOptions } from './route.ts';

/** Puts together the parts that every runtime shares. */
export function compose(
  settings: Settings,
  platform: RuntimePlatform,
): Dependencies & Pick<RouteOptions, 'signingKey'> & { readonly routes: readonly ComposedRoute[] } {
  const { clock, wallClock, log, metrics, background, memory, tiers = [] } = platform;
  const { REGSHIFT_EVENTS_SECRET: secret } = settings;
  const signingKey = once(() => loadSigningKey(settings.REGSHIFT_SIGNING_KEY, platform));
  const shared = {
    platform,
    signingKey,
    cache: cacheOf(platform),
    layers: layersOf(settings, platform),
    searchLine: createSearchLine(clock),
    manifestBodies: createManifestBodies(clock),
    versionsOf: createRepositoryVersions(platform.fleetWrites),
    loginQueue: createLoginQueue(clock),
  };
  const routes = settings.routes.map((route) => routeOptions(route, shared));
  const { store } = shared.layers;
  const subrequests = settings.REGSHIFT_SUBREQUESTS ?? platform.subrequests;
  const remote = [...tiers, ...(store ? [{ name: 'store', isAway: store.isAway }] : [])];
  const caches = remote.flatMap(({ name, isAway }) => (isAway ? [{ name, isAway }] : []));
  return {
    routes,
    health: createHealth({ routes, caches, clock, background }),
    inFlight: createInFlight(settings.REGSHIFT_MAX_REQUESTS ?? platform.mostRequests),
    trustedProxies: settings.REGSHIFT_TRUSTED_PROXIES,
    subrequests,
    clock,
    wallClock,
    log,
    metrics,
    page: pageOf(settings, platform),
    signingKey,
    memory,
    events: secret === undefined ? undefined : { ...platform, secret, subrequests },
  };
}

/** The page for people. The sample registry has images to try. A runtime without a machine has no `HOST`. */
function pageOf(
  { REGSHIFT_PAGE: mode, HOST: host, routes }: Settings,
  { numbers, machine, moreErrors }: RuntimePlatform,
): Dependencies['page'] {
  if (mode === 'off') return undefined;
  const isSample = routes.some(({ settings }) => settings.REGSHIFT_UPSTREAM === undefined);
  const listensLocally = machine !== undefined && isLoopback(host);
  const showsStatus = mode === 'status';
  return { examples: isSample ? examples : [], listensLocally, showsStatus, numbers, moreErrors };
}

/** Samples whose look-up shows most. */
const examples = ['sample/index', 'sample/oci-zstd', 'sample/schema1', 'sample/generic'];

/** Puts the memory cache in front of the far caches of the runtime, and measures each of them. */
function cacheOf({ tiers = [], metrics, memory: budget, turn }: RuntimePlatform): Cache {
  const memory = meteredCache(createMemoryCache(budget), { name: 'memory', distance: 0 }, metrics);
  if (tiers.length === 0) return memory;
  const far = tiers.map((tier, index) => {
    const place = { name: tier.name, distance: index + 1 };
    return { ...tier, cache: meteredCache(validatedCache(tier.cache, isIntact, turn), place, metrics) };
  });
  return createTieredCache([{ name: 'memory', cache: memory, accepts: () => true }, ...far]);
}

/** Leases for layer reads, for all routes together: each read costs a connection and a decoder's memory. */
const layerReadings = 4;

const needsNode =
  'regshift serve on Node reads layers of any size: put it in front of this image, or raise the limit.';

function layersOf(settings: Settings, platform: RuntimePlatform): RouteOptions['layers'] {
  const { clock, layerBytes, memory, store } = platform;
  return {
    limits: {
      ...defaultDecompressionLimits,
      bytes: settings.REGSHIFT_LAYER_BYTES ?? layerBytes,
      beyond: Number.isFinite(layerBytes) ? ` ${needsNode}` : undefined,
    },
    leases: createLayerLeases(layerReadings, clock),
    tails: createTails(memory),
    store: store && createLayerStores({ ...platform, store }),
  };
}

/** A key made at start is no fault in one process. Processes that share a cache, or their clients, need the same key. */
async function loadSigningKey(setting: string | undefined, platform: RuntimePlatform): Promise<SigningKey> {
  if (setting !== undefined) return readSigningKey(await platform.signingKeyText(setting));
  const { tiers = [], manyProcesses = false } = platform;
  const level = tiers.length > 0 || manyProcesses ? 'warn' : 'info';
  platform.log(level, 'REGSHIFT_SIGNING_KEY is not set: schema 1 is signed with a key made at start', {
    consequence: 'clients see another key after a restart; digests stay the same',
    remedy: `for a key that stays, ${platform.signingKeyStep}`,
  });
  return generateSigningKey();
}
