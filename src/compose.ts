import { generateSigningKey, readSigningKey, type SigningKey } from '../converters/schema1/signing-key.ts';
import type { Dependencies } from './app.ts';
import { chooseClientAuth } from './auth/choose-client-auth.ts';
import type { ComparePassword } from './auth/compare-password.ts';
import type { HelperQuestion } from './auth/docker-config.ts';
import { type AskHelper, createLoginKeeper } from './auth/login-keeper.ts';
import { createLoginQueue, type LoginQueue } from './auth/login-queue.ts';
import { createTokenRelay } from './auth/token-relay.ts';
import { type UpstreamLogin, upstreamLogin } from './auth/upstream-login.ts';
import type { Cache } from './cache/cache.ts';
import { checked } from './cache/checked.ts';
import { createMemoryCache } from './cache/memory.ts';
import { createTieredCache, type Tier } from './cache/tiered.ts';
import { watched } from './cache/watched.ts';
import type { RouteSettings, Settings } from './config/settings.ts';
import { createSearchLine } from './derived/bounded-search.ts';
import { isIntact } from './derived/shared.ts';
import { Failure } from './errors.ts';
import { defaultUnpackLimits } from './layers/bomb.ts';
import { createLayerLeases } from './layers/learner.ts';
import { createHealth } from './observability/health.ts';
import type { Log } from './observability/log.ts';
import type { Meter } from './observability/meter.ts';
import { createUnderWay } from './observability/under-way.ts';
import type { RouteOptions } from './route.ts';
import { createManifestBodies } from './routes/manifest-body.ts';
import type { SiteOptions } from './site.ts';
import { createUpstreamClient, type Fetch, type UpstreamClient } from './upstream/client.ts';
import { isDockerHub } from './upstream/docker-hub.ts';
import { createMirrors, type Mirror } from './upstream/mirrors.ts';
import { createSampleRegistry } from './upstream/sample/registry.ts';
import { watchedFetch } from './upstream/watched-fetch.ts';
import { deriveClaimKeys } from './v1-claims/keys.ts';
import { version } from './version.ts';

/** What differs from runtime to runtime. */
export interface Platform extends Pick<RouteOptions, 'codec' | 'fixedLength' | 'background'> {
  readonly fetch: Fetch;
  /** The largest layer, unpacked, that the runtime can cope with, in bytes. */
  readonly layerBytes: number;
  /** How many requests of its own one request may cause, where the operator does not say. */
  readonly subrequests: number;
  /** Memory for converted content, in bytes, where the operator does not say. */
  readonly cacheBytes: number;
  /** Whether whole answers are held beside it: the runtime says in which words requests are asked. */
  readonly holdsAnswers?: boolean;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
  readonly meter: Meter;
  /** How many requests may be under way, where the operator does not say. */
  readonly mostRequests: number;
  /** What `REGSHIFT_SIGNING_KEY` stands for: the key's text, read from a file where the runtime has files. */
  readonly signingKeyText: (setting: string) => Promise<string>;
  /**
   * Whether requests of one client reach processes that know nothing of each other (Workers): what one of them seals,
   * another one must be able to open.
   */
  readonly manyProcesses?: boolean;
  /** Asks programs that keep logins. Absent where there are no programs. */
  readonly askHelper?: AskHelper;
  /** Compares on another thread where the runtime has threads: requests are answered meanwhile. */
  readonly comparePassword: ComparePassword;
  /** Caches behind the memory of this process or isolate, the nearest first. */
  readonly tiers?: readonly Tier[];
}

/** Any host will do for the registry inside the process; this one is reserved for such (RFC 2606, section 2). */
const sampleUrl = new URL('http://sample.invalid');

/** Puts the parts together that every runtime shares. */
export function compose(
  settings: Settings,
  platform: Platform,
): Dependencies & Pick<SiteOptions, 'signingKey'> {
  const { clock, log, meter, background, tiers = [] } = platform;
  const signingKey = once(() => loadSigningKey(settings.REGSHIFT_SIGNING_KEY, platform));
  const memory = memoryOf(settings, platform);
  const cache = cacheOf(memory.contentBytes, platform);
  const { routeBytes } = memory;
  const shared = {
    platform,
    signingKey,
    cache,
    routeBytes,
    layers: layersOf(settings, platform),
    searchLine: createSearchLine(clock),
    manifestBodies: createManifestBodies(clock),
    loginQueue: createLoginQueue(clock),
  };
  const sites = settings.routes.map((route) => siteOf(route, shared));
  const caches = tiers.flatMap(({ name, isAway }) => (isAway ? [{ name, isAway }] : []));
  return {
    sites,
    health: createHealth({ sites, caches, clock, background }),
    underWay: createUnderWay(settings.REGSHIFT_MAX_REQUESTS ?? platform.mostRequests),
    trustedProxies: settings.REGSHIFT_TRUSTED_PROXIES,
    subrequests: settings.REGSHIFT_SUBREQUESTS ?? platform.subrequests,
    clock,
    log,
    meter,
    signingKey,
    heldBytes: memory.heldBytes,
  };
}

interface Shared
  extends Pick<
    SiteOptions,
    'signingKey' | 'cache' | 'routeBytes' | 'layers' | 'searchLine' | 'manifestBodies'
  > {
  readonly platform: Platform;
  readonly loginQueue: LoginQueue;
}

function siteOf(
  { id, match, settings }: RouteSettings,
  { platform, loginQueue, ...shared }: Shared,
): SiteOptions {
  const { clock, log, meter, background, askHelper: ask } = platform;
  const upstreams = settings.REGSHIFT_UPSTREAM ?? ([sampleUrl] as const);
  const asked = settings.REGSHIFT_UPSTREAM ? platform.fetch : createSampleRegistry().fetch;
  const fetch = watchedFetch(asked, id, meter);
  const onToken = (granted: boolean) => meter.tokenAsked(id, granted);
  const outward = { fetch, onToken, userAgent: `regshift/${version}`, clock, background };
  const keeperOf =
    ask && ((question: HelperQuestion) => createLoginKeeper({ question, ask, clock, log, background }));
  const mirrors = mapAll(upstreams, (baseUrl, index) => ({
    client: createUpstreamClient({
      baseUrl,
      ...outward,
      allowAnonymousTokens: true,
      // Docker waits for 10 s at a ping; the last one has no one behind it to ask instead.
      ...(index < upstreams.length - 1 ? { headersDeadlineMs: mirrorDeadlineMs } : {}),
    }),
    login: upstreamLogin(settings, baseUrl, keeperOf),
  }));
  const { client, login } = asOne(mirrors, clock);
  const relays =
    settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough' && settings.REGSHIFT_TOKEN_RELAY === 'always';
  return {
    id,
    match,
    settings,
    client,
    login,
    library: upstreams.some(isDockerHub),
    clientAuth: chooseClientAuth(settings, { ...platform, loginQueue }),
    tokenRelay: relays ? createTokenRelay({ client, upstream: upstreams[0], ...outward }) : undefined,
    ...shared,
    claimKeys: once(async () => {
      if (platform.manyProcesses && settings.REGSHIFT_SIGNING_KEY === undefined) throw noCommonKey();
      return deriveClaimKeys(await shared.signingKey(), `${client.id} ${id}`);
    }),
    clock,
    log,
    meter,
    codec: platform.codec,
    fixedLength: platform.fixedLength,
    background,
  };
}

const mirrorDeadlineMs = 8_000;

interface LoggedIn {
  readonly client: UpstreamClient;
  readonly login: UpstreamLogin;
}

/** Several registries as one, each with its own login. Clients log in to none of them (config/auth-rules.ts). */
function asOne([first, ...others]: readonly [LoggedIn, ...LoggedIn[]], clock: () => number): LoggedIn {
  if (others.length === 0) return first;
  const own = ({ client, login }: LoggedIn): Mirror => ({
    client,
    credential: login === 'passthrough' ? { kind: 'none' } : login,
  });
  const mirrors = [own(first), ...others.map(own)] as const;
  const login = mirrors.map(({ credential }) => credential).find(({ kind }) => kind !== 'none');
  return { client: createMirrors(mirrors, clock), login: login ?? { kind: 'none' } };
}

function mapAll<From, To>(
  [first, ...others]: readonly [From, ...From[]],
  make: (value: From, index: number) => To,
): readonly [To, ...To[]] {
  return [make(first, 0), ...others.map((each, index) => make(each, index + 1))];
}

/** Layers that are read at once, for whatever route: each costs a connection, and a decoder's memory. */
const layerReadings = 4;

function layersOf(settings: Settings, { clock, layerBytes }: Platform): SiteOptions['layers'] {
  const limits = { ...defaultUnpackLimits, bytes: settings.REGSHIFT_LAYER_BYTES ?? layerBytes };
  return { limits, leases: createLayerLeases(layerReadings, clock) };
}

/** For proofs that are asked for again within seconds, whatever the operator allows. */
const leastRouteBytes = 262_144;

/**
 * What answers hold may be gone from the cache by then: an image that is asked for in the same words all the time is
 * not looked up there. So that both together keep to what the operator allows, each has its part.
 */
function memoryOf({ REGSHIFT_CACHE_BYTES, routes }: Settings, { cacheBytes, holdsAnswers }: Platform) {
  const bytes = REGSHIFT_CACHE_BYTES ?? cacheBytes;
  const heldBytes = holdsAnswers ? Math.floor(bytes / 8) : 0;
  const ofRoutes = Math.floor(bytes / 8);
  const routeBytes = Math.max(leastRouteBytes, Math.floor(ofRoutes / routes.length));
  return { heldBytes, routeBytes, contentBytes: bytes - heldBytes - ofRoutes };
}

function cacheOf(contentBytes: number, { tiers = [], meter }: Platform): Cache {
  const own = createMemoryCache(contentBytes);
  const memory = watched(own, { name: 'memory', distance: 0 }, meter);
  if (tiers.length === 0) return memory;
  const far = tiers.map((tier, index) => {
    const place = { name: tier.name, distance: index + 1 };
    return { ...tier, cache: watched(checked(tier.cache, isIntact), place, meter) };
  });
  return createTieredCache([{ name: 'memory', cache: memory, keeps: () => true }, ...far]);
}

function noCommonKey(): Failure {
  return new Failure(
    'MISCONFIGURED',
    'REGSHIFT_SIGNING_KEY is not set, and this needs it here: registry API v1, in which old Dockers pull, and uploads ' +
      'that the registry wants at an address of its own. Set it to a P-256 private key (README.md).',
  );
}

async function loadSigningKey(setting: string | undefined, platform: Platform): Promise<SigningKey> {
  if (setting !== undefined) return readSigningKey(await platform.signingKeyText(setting));
  platform.log('warn', 'REGSHIFT_SIGNING_KEY is not set: schema 1 is signed with a key made at start', {
    consequence: 'clients see another key after a restart; digests stay the same',
  });
  return generateSigningKey();
}

/** Makes a thing at its first use; a failure is not kept. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
