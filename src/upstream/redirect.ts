import { discard } from './body.ts';
import { noticesOf } from './error-response.ts';
import { badResponseError } from './network-errors.ts';
import type { SentHeaders } from './send.ts';

/** Redirects of one request at most. Docker Hub takes one, a registry behind a load balancer two. */
const maximumHops = 5;

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function isRedirect(response: Response): boolean {
  return redirectStatuses.has(response.status);
}

export interface Followed {
  readonly response: Response;
  /** The URL that the response came from. */
  readonly url: URL;
  /** Whether a redirect led away from the first origin, even if another one led back to it. */
  readonly leftOrigin: boolean;
}

/**
 * Follows redirects without the help of `fetch`, whose limits and rules differ from runtime to runtime. For GET and
 * HEAD only: every redirect status keeps their method (RFC 9110 §15.4). Authorization and Cookie belong to the first
 * origin: they are dropped after the first redirect to another one, and are not sent again (RFC 9110 §15.4, item 3).
 * @param send sends one request and follows nothing.
 * @param until 'other origin' returns a redirect that leads to another origin instead of following it.
 * @throws RegistryError UPSTREAM_ANSWER for a redirect that must not be followed.
 */
export async function followRedirects(
  start: URL,
  headers: SentHeaders,
  send: (url: URL, headers: SentHeaders) => Promise<Response>,
  until: 'the end' | 'other origin' = 'the end',
): Promise<Followed> {
  let url = start;
  let strayed = false;
  for (let hops = 0; ; hops++) {
    const response = await send(url, strayed ? withoutCredentials(headers) : headers);
    if (!isRedirect(response)) return { response, url, leftOrigin: strayed };
    await discard(response);
    const leaving = until === 'other origin' ? leavingRedirect(response, url) : undefined;
    if (leaving) return { response: leaving, url, leftOrigin: strayed };
    if (hops === maximumHops) {
      throw badResponseError(url, `is at the end of ${maximumHops} redirects and redirects once more`);
    }
    url = locationOf(response, url);
    strayed ||= url.origin !== start.origin;
  }
}

/**
 * A redirect to another origin, for the client to follow. Its Location is absolute, since the client would read a
 * relative one relative to regshift (Artifactory names no host). A redirect within the registry is not for the client:
 * the registry may want the login again.
 */
function leavingRedirect({ headers, status }: Response, from: URL): Response | undefined {
  const location = headers.get('location') ?? '';
  if (!URL.canParse(location, from.href)) return undefined;
  const url = new URL(location, from.href);
  if (url.origin === from.origin) return undefined;
  // An absolute Location is passed on as it was written: another spelling might not be what was signed.
  const spelled = URL.canParse(location) ? location : url.href;
  return new Response(null, { status, headers: { ...noticesOf({ headers }), location: spelled } });
}

function withoutCredentials({ authorization: _, cookie: __, ...others }: SentHeaders): SentHeaders {
  return others;
}

/**
 * The absolute URL of a response's Location.
 * @param from the URL of the request. @throws RegistryError UPSTREAM_ANSWER for a Location that must not be followed.
 */
export function locationOf(response: Pick<Response, 'headers' | 'status'>, from: URL): URL {
  const location = response.headers.get('location');
  if (location === null) throw badResponseError(from, `answered ${response.status} without a Location`);
  const url = URL.parse(location, from.href) ?? undefined;
  if (url === undefined)
    throw badResponseError(from, `answered ${response.status} with a Location that is no URL`);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw badResponseError(
      from,
      `redirects to a ${url.protocol} URL, where only https: and http: can be followed`,
    );
  }
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw badResponseError(from, `redirects from https to http (${url.host}), which is not followed`);
  }
  if (url.username !== '' || url.password !== '') {
    throw badResponseError(
      from,
      `redirects to a URL with a login in it (${url.host}), which is not followed`,
    );
  }
  return url;
}
