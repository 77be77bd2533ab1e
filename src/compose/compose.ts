import { generateSigningKey, readSigningKey, type SigningKey } from '../../converters/crypto/signing-key.ts';
import type { TakeTurn } from '../../converters/ports.ts';
import type { Dependencies } from '../app.ts';
import { createCredentialHelper } from '../auth/credential-helper.ts';
import type { HelperQuestion } from '../auth/docker-config.ts';
import { createLoginQueue, type LoginQueue } from '../auth/login-queue.ts';
import { createTokenRelay } from '../auth/token-relay.ts';
import type { UpstreamLogin } from '../auth/upstream-auth.ts';
import { type Cache, createMemoryCache } from '../cache/cache.ts';
import { createTieredCache, meteredCache, validatedCache } from '../cache/tiered.ts';
import { deriveStateKeys } from '../client-state/keys.ts';
import type { Clock } from '../clock.ts';
import type { RouteSettings } from '../config/route-settings.ts';
import type { Settings, Values } from '../config/settings.ts';
import { RegistryError } from '../errors.ts';
import { createHealth } from '../http/health.ts';
import { createInFlight } from '../http/in-flight.ts';
import { isLoopback } from '../http/loopback.ts';
import type { RouteOptions } from '../http/route.ts';
import { defaultDecompressionLimits } from '../layers/decompression-limits.ts';
import { createLayerLeases } from '../layers/inspector.ts';
import { createLayerStore } from '../layers/store/layer-store.ts';
import { createTails } from '../layers/tails.ts';
import { createSearchLine } from '../registry/bounded-search.ts';
import { isIntact } from '../registry/cache-entries.ts';
import { createManifestBodies } from '../registry/push/manifest-bodies.ts';
import type { RegistrySettings } from '../registry/registry.ts';
import { createSampleRegistry } from '../sample-registry/registry.ts';
import { createUpstreamClient, type UpstreamClient } from '../upstream/client.ts';
import { namesOfficialImages } from '../upstream/docker-hub.ts';
import { createMirrors, type Mirror } from '../upstream/mirrors.ts';
import { withNetworkRules } from '../upstream/network-rules.ts';
import { meteredFetch } from '../upstream/send.ts';
import { upstreamTimeouts } from '../upstream/timeouts.ts';
import { version } from '../version.ts';
import { chooseClientAuth } from './client-auth.ts';
import { cloudLogin } from './cloud-login.ts';
import type { NewestValues, RuntimePlatform } from './platform.ts';
import { rotatingUpstreamLogin } from './upstream-auth.ts';
import { upstreamFetch } from './upstream-fetch.ts';

/** The URL of the registry inside the process; the host is reserved (RFC 2606, section 2). */
const sampleUrl = new URL('http://sample.invalid');

/** A route, with the client of each of its mirrors. */
export interface ComposedRoute extends RouteOptions {
  /** Empty for the sample registry. */
  readonly upstreams: readonly UpstreamClient[];
}

/** Puts together the parts that every runtime shares. */
export function compose(
  settings: Settings,
  platform: RuntimePlatform,
): Dependencies & Pick<RouteOptions, 'signingKey'> & { readonly routes: readonly ComposedRoute[] } {
  const { clock, wallClock, log, metrics, background, memory, tiers = [] } = platform;
  const signingKey = once(() => loadSigningKey(settings.REGSHIFT_SIGNING_KEY, platform));
  const shared = {
    platform,
    signingKey,
    cache: cacheOf(platform),
    layers: layersOf(settings, platform),
    searchLine: createSearchLine(clock),
    manifestBodies: createManifestBodies(clock),
    loginQueue: createLoginQueue(clock),
  };
  const routes = settings.routes.map((route) => routeOptions(route, shared));
  const { store } = shared.layers;
  const remote = [...tiers, ...(store ? [{ name: 'store', isAway: store.isAway }] : [])];
  const caches = remote.flatMap(({ name, isAway }) => (isAway ? [{ name, isAway }] : []));
  return {
    routes,
    health: createHealth({ routes, caches, clock, background }),
    inFlight: createInFlight(settings.REGSHIFT_MAX_REQUESTS ?? platform.mostRequests),
    trustedProxies: settings.REGSHIFT_TRUSTED_PROXIES,
    subrequests: settings.REGSHIFT_SUBREQUESTS ?? platform.subrequests,
    clock,
    wallClock,
    log,
    metrics,
    page: pageOf(settings, platform),
    signingKey,
    memory,
    events: eventOptions(settings, platform),
  };
}

/** The page for people. The sample registry has images to try. A runtime without a machine has no `HOST`. */
function pageOf(
  { REGSHIFT_PAGE: mode, HOST: host, routes }: Settings,
  { numbers, machine }: RuntimePlatform,
): Dependencies['page'] {
  if (mode === 'off') return undefined;
  const isSample = routes.some(({ settings }) => settings.REGSHIFT_UPSTREAM === undefined);
  const listensLocally = machine !== undefined && isLoopback(host);
  return { examples: isSample ? examples : [], listensLocally, showsStatus: mode === 'status', numbers };
}

/** Samples whose look-up shows most. */
const examples = ['sample/index', 'sample/oci-zstd', 'sample/schema1', 'sample/generic'];

function eventOptions(
  { REGSHIFT_EVENTS_SECRET: secret, REGSHIFT_SUBREQUESTS: subrequests }: Settings,
  platform: RuntimePlatform,
): Dependencies['events'] {
  if (secret === undefined) return undefined;
  return { ...platform, secret, subrequests: subrequests ?? platform.subrequests };
}

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

interface Shared
  extends Pick<RouteOptions, 'signingKey' | 'cache' | 'layers' | 'searchLine' | 'manifestBodies'> {
  readonly platform: RuntimePlatform;
  readonly loginQueue: LoginQueue;
}

function routeOptions(route: RouteSettings, { platform, loginQueue, ...shared }: Shared): ComposedRoute {
  const { id, match, settings } = route;
  const { clock, wallClock, log, metrics, background, memory, turn, askHelper: ask } = platform;
  const upstreams = settings.REGSHIFT_UPSTREAM ?? ([sampleUrl] as const);
  const asked = settings.REGSHIFT_UPSTREAM ? upstreamFetch(route, platform) : createSampleRegistry().fetch;
  const metered = meteredFetch(asked, id, metrics);
  const networks = settings.REGSHIFT_UPSTREAM_NETWORKS;
  const timeouts = upstreamTimeouts(settings.REGSHIFT_UPSTREAM_TIMEOUT);
  const onToken = (granted: boolean) => metrics.tokenRequest(id, granted);
  const outwardParts = { userAgent: `regshift/${version}`, clock, wallClock, background };
  const outwardTo = (upstream: URL) => {
    const fetch = withNetworkRules({ fetch: metered, upstream, networks, clock, log });
    return { ...outwardParts, fetch, onToken, memory, turn };
  };
  const helperFor =
    ask && ((question: HelperQuestion) => createCredentialHelper({ question, ask, clock, log, background }));
  const cloudParts = { ...outwardParts, fetch: metered, log, machine: platform.machine };
  const cloudLoginFor = (own: Values, upstream: URL) => cloudLogin(own, upstream, cloudParts);
  const newest = newestOf(route, platform);
  const loginOf = (upstream: URL) =>
    rotatingUpstreamLogin(settings, upstream, { helperFor, cloudLoginFor, newest });
  const mirrors = mapAll(upstreams, (baseUrl, index) => {
    const outward = outwardTo(baseUrl);
    const client = createUpstreamClient({
      baseUrl,
      aliases: settings.REGSHIFT_UPSTREAM_ALIASES,
      ...outward,
      allowAnonymousTokens: true,
      headersDeadlineMs: timeouts.answerMs,
      standstillMs: timeouts.standstillMs,
      // Docker waits 10 s for a ping, so each mirror but the last has a shorter deadline.
      failoverMs: index < upstreams.length - 1 ? mirrorDeadlineMs : undefined,
    });
    return { client, outward, login: loginOf(baseUrl) };
  });
  const { client, login } = asOne(mirrors, clock, settings.REGSHIFT_MIRROR_MISS);
  const relays =
    settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough' && settings.REGSHIFT_TOKEN_RELAY === 'always';
  return {
    id,
    match,
    settings: registrySettings(settings),
    publicUrl: settings.REGSHIFT_PUBLIC_URL,
    passesCors: passesCors(settings),
    warm: settings.REGSHIFT_WARM,
    clientRules: settings.REGSHIFT_CLIENTS.rules,
    tagLimits: {
      noAttestations: settings.REGSHIFT_ATTESTATIONS === 'drop',
      oneImage: settings.REGSHIFT_INDEX === 'one',
      noZstd: settings.REGSHIFT_LAYERS === 'plain',
    },
    client,
    upstreams: settings.REGSHIFT_UPSTREAM ? mirrors.map((mirror) => mirror.client) : [],
    login,
    library: upstreams.some(namesOfficialImages),
    clientAuth: chooseClientAuth(settings, { ...platform, loginQueue, newest }),
    tokenRelay: relays
      ? createTokenRelay({
          client,
          upstream: upstreams[0],
          ...mirrors[0].outward,
          tokenDeadlineMs: timeouts.answerMs,
        })
      : undefined,
    ...shared,
    stateKeys: once(async () => {
      if (platform.manyProcesses && settings.REGSHIFT_SIGNING_KEY === undefined) throw noCommonKey();
      return deriveStateKeys(await shared.signingKey(), `${client.id} ${id}`);
    }),
    clock,
    wallClock,
    log,
    metrics,
    memory,
    codec: platform.codec,
    fixedLength: platform.fixedLength,
    forwardBody: platform.forwardBody,
    background,
    turn: platform.turn ?? atOnce,
  };
}

/** The newest settings of a route; undefined if no setting can change. */
function newestOf({ id, settings }: RouteSettings, { rotating }: RuntimePlatform): NewestValues | undefined {
  return rotating && (async (atOnce) => (await rotating.newest(id, atOnce)) ?? settings);
}

/** A registry lets pages read what a client's login may read, and does not know the proxy's own account. */
function passesCors({ REGSHIFT_CORS: cors, REGSHIFT_UPSTREAM_AUTH: mode }: Values): boolean {
  return cors === 'registry' || (cors === 'auto' && mode === 'passthrough');
}

const atOnce: TakeTurn = () => undefined;

/** The settings of one route as its registry takes them. */
function registrySettings(settings: Values): RegistrySettings {
  const passThrough = settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough';
  return {
    tagTtl: settings.REGSHIFT_TAG_TTL,
    staleFor: settings.REGSHIFT_STALE,
    upstreamTimeout: settings.REGSHIFT_UPSTREAM_TIMEOUT,
    pin: settings.REGSHIFT_FORMAT,
    platform: settings.REGSHIFT_PLATFORM,
    convertByDigest: settings.REGSHIFT_CONVERT_BY_DIGEST === 'always',
    lists: settings.REGSHIFT_LISTS,
    refusesUnsigned: settings.REGSHIFT_UNSIGNED_SCHEMA1 === 'refuse',
    keepsBlobs: settings.REGSHIFT_STORE_BLOBS === 'all',
    redirectBlobs: settings.REGSHIFT_BLOBS === 'redirect',
    layerDeadline: settings.REGSHIFT_MEASURE_DEADLINE,
    searchTags: settings.REGSHIFT_WALK_TAGS,
    searchImages: settings.REGSHIFT_WALK_GETS,
    v1Tags: settings.REGSHIFT_V1_TAGS,
    aliases: settings.REGSHIFT_ALIASES,
    serves: settings.REGSHIFT_REPOSITORIES ?? (() => true),
    passThrough,
    // Where regshift uses one account for all clients, the right to read through it is no right to write.
    takesPushes: settings.REGSHIFT_PUSH === undefined ? passThrough : settings.REGSHIFT_PUSH === 'allow',
    pushFormat: settings.REGSHIFT_PUSH_FORMAT,
    refusesLosses: settings.REGSHIFT_PUSH_LOSSES === 'refuse',
  };
}

const mirrorDeadlineMs = 8_000;

interface LoggedIn {
  readonly client: UpstreamClient;
  readonly login: UpstreamLogin;
}

/** Several mirrors as one client, each with its own login. Clients log in to none of them (config/auth-rules.ts). */
function asOne(
  [first, ...others]: readonly [LoggedIn, ...LoggedIn[]],
  clock: Clock,
  miss: 'stop' | 'next',
): LoggedIn {
  if (others.length === 0) return first;
  const own = ({ client, login }: LoggedIn): Mirror => ({
    client,
    credential: login === 'passthrough' ? { kind: 'none' } : login,
  });
  const mirrors = [own(first), ...others.map(own)] as const;
  const login = mirrors.map(({ credential }) => credential).find(({ kind }) => kind !== 'none');
  return { client: createMirrors(mirrors, clock, miss), login: login ?? { kind: 'none' } };
}

function mapAll<From, To>(
  [first, ...others]: readonly [From, ...From[]],
  make: (value: From, index: number) => To,
): readonly [To, ...To[]] {
  return [make(first, 0), ...others.map((each, index) => make(each, index + 1))];
}

/** Leases for layer reads, for all routes together: each read costs a connection and a decoder's memory. */
const layerReadings = 4;

/** A runtime that limits processor time decompresses a layer in the same time with a store as without one. */
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
    store: store && createLayerStore({ ...platform, store }),
  };
}

function noCommonKey(): RegistryError {
  return new RegistryError(
    'MISCONFIGURED',
    'REGSHIFT_SIGNING_KEY is not set, and this needs it here: registry API v1, in which old Dockers pull, and uploads ' +
      'that the registry wants at an address of its own. Set it to a P-256 private key (docs/settings.md).',
  );
}

async function loadSigningKey(setting: string | undefined, platform: RuntimePlatform): Promise<SigningKey> {
  if (setting !== undefined) return readSigningKey(await platform.signingKeyText(setting));
  platform.log('warn', 'REGSHIFT_SIGNING_KEY is not set: schema 1 is signed with a key made at start', {
    consequence: 'clients see another key after a restart; digests stay the same',
  });
  return generateSigningKey();
}

/** Makes a value at its first use; a failure is not kept. */
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
