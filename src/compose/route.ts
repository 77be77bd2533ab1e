import type { TakeTurn } from '../../converters/ports.ts';
import type { LoginQueue } from '../auth/login-queue.ts';
import { createTokenRelay } from '../auth/token-relay.ts';
import { deriveStateKeys } from '../client-state/keys.ts';
import type { RouteSettings } from '../config/route-settings.ts';
import { RegistryError } from '../errors.ts';
import type { RouteOptions } from '../http/route.ts';
import { createAccountCheck } from '../upstream/account-check.ts';
import { namesOfficialImages } from '../upstream/docker-hub.ts';
import { createMirrors, type Mirror, type MirrorsOptions } from '../upstream/mirrors.ts';
import { upstreamTimeouts } from '../upstream/timeouts.ts';
import { chooseClientAuth } from './client-auth.ts';
import { connectMirrors, type LoggedIn } from './connect-mirrors.ts';
import { once } from './once.ts';
import type { NewestValues, RuntimePlatform } from './platform.ts';
import { passesCors, registrySettings } from './registry-settings.ts';

/** A route, with each of its mirrors. */
export interface ComposedRoute extends RouteOptions {
  /** Empty for the sample registry. */
  readonly upstreams: readonly LoggedIn[];
}

/** The parts that all routes share. */
export interface Shared
  extends Pick<
    RouteOptions,
    'signingKey' | 'cache' | 'layers' | 'searchLine' | 'manifestBodies' | 'versionsOf'
  > {
  readonly platform: RuntimePlatform;
  readonly loginQueue: LoginQueue;
}

/** Puts together the parts of one route. */
export function routeOptions(
  route: RouteSettings,
  { platform, loginQueue, ...shared }: Shared,
): ComposedRoute {
  const { id, match, settings } = route;
  const { clock, wallClock, log, metrics, background, memory, rotating } = platform;
  const newest: NewestValues | undefined =
    rotating && (async (atOnce) => (await rotating.newest(id, atOnce)) ?? settings);
  const mirrors = connectMirrors(route, platform, newest);
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
    library: mirrors.some(({ baseUrl }) => namesOfficialImages(baseUrl)),
    clientAuth: chooseClientAuth(settings, { ...platform, loginQueue, newest }),
    tokenRelay: relays
      ? createTokenRelay({
          client,
          upstream: mirrors[0].baseUrl,
          ...mirrors[0].outward,
          tokenDeadlineMs: upstreamTimeouts(settings.REGSHIFT_UPSTREAM_TIMEOUT).answerMs,
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

const atOnce: TakeTurn = () => undefined;

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

function noCommonKey(): RegistryError {
  return new RegistryError(
    'MISCONFIGURED',
    'REGSHIFT_SIGNING_KEY is not set, and this needs it here: registry API v1, in which old Dockers pull, and uploads ' +
      'that the registry wants at an address of its own. Set it to a P-256 private key (docs/settings.md).',
  );
}
