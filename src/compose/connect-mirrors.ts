import { createCredentialHelper } from '../auth/credential-helper.ts';
import type { UpstreamLogin } from '../auth/upstream-auth.ts';
import type { RouteSettings } from '../config/route-settings.ts';
import { createSampleRegistry } from '../sample-registry/registry.ts';
import { createUpstreamClient, type UpstreamClient } from '../upstream/client.ts';
import { withNetworkRules } from '../upstream/network-rules.ts';
import { meteredFetch } from '../upstream/send.ts';
import { upstreamTimeouts } from '../upstream/timeouts.ts';
import { version } from '../version.ts';
import { type CloudLoginParts, cloudLogin } from './cloud-login.ts';
import type { NewestValues, RuntimePlatform } from './platform.ts';
import { type LoginSources, rotatingUpstreamLogin } from './upstream-auth.ts';

/** The URL of the registry inside the process; the host is reserved (RFC 2606, section 2). */
const sampleUrl = new URL('http://sample.invalid');

const mirrorDeadlineMs = 8_000;

/** One registry, and the login of requests to it. */
export interface LoggedIn {
  readonly client: UpstreamClient;
  readonly login: UpstreamLogin;
}

/** Connects to the registries of a route, each with its own login. @param newest the newest settings of the route. */
export function connectMirrors(
  route: RouteSettings,
  platform: RuntimePlatform,
  newest: NewestValues | undefined,
) {
  const { id, settings } = route;
  const { clock, wallClock, log, metrics, background, memory, turn } = platform;
  const upstreams = settings.REGSHIFT_UPSTREAM ?? ([sampleUrl] as const);
  const direct = settings.REGSHIFT_UPSTREAM
    ? (platform.fetchFor?.(route, newest) ?? platform.fetch)
    : createSampleRegistry().fetch;
  const metered = meteredFetch(direct, id, metrics);
  const networks = settings.REGSHIFT_UPSTREAM_NETWORKS;
  const timeouts = upstreamTimeouts(settings.REGSHIFT_UPSTREAM_TIMEOUT);
  const onToken = (granted: boolean) => metrics.tokenRequest(id, granted);
  const parts = { userAgent: `regshift/${version}`, clock, wallClock, background };
  const sources = { ...loginSources(platform, { ...parts, fetch: metered, log }), newest };
  return mapAll(upstreams, (baseUrl, index) => {
    const fetch = withNetworkRules({ fetch: metered, upstream: baseUrl, networks, clock, log });
    const outward = { ...parts, fetch, onToken, memory, turn };
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
    return { baseUrl, client, outward, login: rotatingUpstreamLogin(settings, baseUrl, sources) };
  });
}

function loginSources(
  { machine, askHelper: ask }: RuntimePlatform,
  parts: Omit<CloudLoginParts, 'machine'>,
): LoginSources {
  return {
    helperFor: ask && ((question) => createCredentialHelper({ ...parts, question, ask })),
    cloudLoginFor: (own, upstream) => cloudLogin(own, upstream, { ...parts, machine }),
  };
}

function mapAll<From, To>(
  [first, ...others]: readonly [From, ...From[]],
  make: (value: From, index: number) => To,
): readonly [To, ...To[]] {
  return [make(first, 0), ...others.map((each, index) => make(each, index + 1))];
}
