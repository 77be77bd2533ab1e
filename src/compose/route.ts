import type { TakeTurn } from '../../converters/ports.ts';
import { createCredentialHelper } from '../auth/credential-helper.ts';
import type { HelperQuestion } from '../auth/docker-config.ts';
import type { LoginQueue } from '../auth/login-queue.ts';
import { createTokenRelay } from '../auth/token-relay.ts';
import type { UpstreamLogin } from '../auth/upstream-auth.ts';
import { deriveStateKeys } from '../client-state/keys.ts';
import type { RouteSettings } from '../config/route-settings.ts';
import type { Values } from '../config/settings.ts';
import { RegistryError } from '../errors.ts';
import type { RouteOptions } from '../http/route.ts';
import { createSampleRegistry } from '../sample-registry/registry.ts';
import { createAccountCheck } from '../upstream/account-check.ts';
import { createUpstreamClient, type UpstreamClient } from '../upstream/client.ts';
import { namesOfficialImages } from '../upstream/docker-hub.ts';
import { createMirrors, type Mirror, type MirrorsOptions } from '../upstream/mirrors.ts';
import { withNetworkRules } from '../upstream/network-rules.ts';
import { meteredFetch } from '../upstream/send.ts';
import { upstreamTimeouts } from '../upstream/timeouts.ts';
import { version } from '../version.ts';
import { chooseClientAuth } from './client-auth.ts';
import { cloudLogin } from './cloud-login.ts';
import { once } from './once.ts';
import type { NewestValues, RuntimePlatform } from './platform.ts';
import { passesCors, registrySettings } from './registry-settings.ts';
import { rotatingUpstreamLogin } from './upstream-auth.ts';

/** The URL of the registry inside the process; the host is reserved (RFC 2606, section 2). */
const sampleUrl = new URL('http://sample.invalid');

/** A route, with each of its mirrors. */
export interface ComposedRoute extends RouteOptions {
  /** Empty for the sample registry. */
  readonly upstreams: readonly LoggedIn[];
}

/** The parts that all routes share. */
export interface Shared
  extends Pick<RouteOptions, 'signingKey' | 'cache' | 'layers' | 'searchLine' | 'manifestBodies'> {
  readonly platform: RuntimePlatform;
  readonly loginQueue: LoginQueue;
}

/** Puts together the parts of one route. */
export function routeOptions(
  route: RouteSettings,
  { platform, loginQueue, ...shared }: Shared,
): ComposedRoute {
  const { id, match, settings } = route;
  const { clock, wallClock, log, metrics, background, memory, turn, rotating, askHelper: ask } = platform;
  const upstreams = settings.REGSHIFT_UPSTREAM ?? ([sampleUrl] as const);
  const newest: NewestValues | undefined =
    rotating && (async (atOnce) => (await rotating.newest(id, atOnce)) ?? settings);
  const asked = settings.REGSHIFT_UPSTREAM
    ? (platform.fetchFor?.(route, newest) ?? platform.fetch)
    : createSampleRegistry().fetch;
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
  const { client, login } = asOne(mirrors, { clock, miss: settings.REGSHIFT_MIRROR_MISS, log, route: id });
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
    upstreams: settings.REGSHIFT_UPSTREAM ? mirrors : [],
    login,
    onAccountRefused: createAccountCheck({
      route: id,
      accounts: mirrors.flatMap(accountOf),
      metrics,
      log,
      clock,
      background,
    }),
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
    fleetWrites: platform.fleetWrites,
    background,
    turn: platform.turn ?? atOnce,
  };
}

const atOnce: TakeTurn = () => undefined;

const mirrorDeadlineMs = 8_000;

/** One registry, and the login of requests to it. */
interface LoggedIn {
  readonly client: UpstreamClient;
  readonly login: UpstreamLogin;
}

/** The account of the proxy at a registry, if it has one there. */
function accountOf({ client, login }: LoggedIn): Mirror[] {
  return login === 'passthrough' || login.kind === 'none' ? [] : [{ client, credential: login }];
}

/** Several mirrors as one client, each with its own login. Clients log in to none of them (config/auth-rules.ts). */
function asOne([first, ...others]: readonly [LoggedIn, ...LoggedIn[]], options: MirrorsOptions): LoggedIn {
  if (others.length === 0) return first;
  const own = ({ client, login }: LoggedIn): Mirror => ({
    client,
    credential: login === 'passthrough' ? { kind: 'none' } : login,
  });
  const mirrors = [own(first), ...others.map(own)] as const;
  const login = mirrors.map(({ credential }) => credential).find(({ kind }) => kind !== 'none');
  return { client: createMirrors(mirrors, options), login: login ?? { kind: 'none' } };
}

function mapAll<From, To>(
  [first, ...others]: readonly [From, ...From[]],
  make: (value: From, index: number) => To,
): readonly [To, ...To[]] {
  return [make(first, 0), ...others.map((each, index) => make(each, index + 1))];
}

function noCommonKey(): RegistryError {
  return new RegistryError(
    'MISCONFIGURED',
    'REGSHIFT_SIGNING_KEY is not set, and this needs it here: registry API v1, in which old Dockers pull, and uploads ' +
      'that the registry wants at an address of its own. Set it to a P-256 private key (docs/settings.md).',
  );
}
