import { discard } from './body.ts';
import { answerError } from './network-errors.ts';

/** Docker Hub takes one hop, a registry behind a load balancer two. */
const maximumHops = 5;

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function isRedirect(response: Response): boolean {
  return redirectStatuses.has(response.status);
}

export interface Followed {
  readonly response: Response;
  /** Who gave it. */
  readonly url: URL;
  /** Whether the way has left the first origin, even if it came back to it. */
  readonly strayed: boolean;
}

/**
 * Follows redirects by hand, since `fetch` keeps neither count nor rules of its own on every runtime. For GET and
 * HEAD only: their method outlives every redirect status (RFC 9110 §15.4). Authorization and Cookie belong to the
 * first origin: they are dropped once the way leaves it, and do not come back with it (RFC 9110 §15.4, item 3).
 * @param send asks one server, without following.
 * @param until 'elsewhere' gives back a redirect that leads away from the first origin instead of following it.
 * @throws RegistryError UPSTREAM_ANSWER for a redirect that no one should follow.
 */
export async function followRedirects(
  start: URL,
  headers: Headers,
  send: (url: URL, headers: Headers) => Promise<Response>,
  until: 'the end' | 'elsewhere' = 'the end',
): Promise<Followed> {
  let url = start;
  let strayed = false;
  for (let hops = 0; ; hops++) {
    const response = await send(url, strayed ? withoutCredentials(headers) : headers);
    if (!isRedirect(response)) return { response, url, strayed };
    await discard(response);
    const leaving = until === 'elsewhere' ? leavingRedirect(response, url) : undefined;
    if (leaving) return { response: leaving, url, strayed };
    if (hops === maximumHops) {
      throw answerError(url, `is at the end of ${maximumHops} redirects and redirects once more`);
    }
    url = locationOf(response, url);
    strayed ||= url.origin !== start.origin;
  }
}

/**
 * For clients to follow: with a Location in full, since theirs would be relative to the proxy (Artifactory names no
 * host). One that stays with the registry is not theirs: it may want the login again.
 */
function leavingRedirect({ headers, status }: Response, from: URL): Response | undefined {
  const location = headers.get('location') ?? '';
  if (!URL.canParse(location, from.href)) return undefined;
  const url = new URL(location, from.href);
  if (url.origin === from.origin) return undefined;
  // One in full goes on as it was written: another spelling might not be what was signed.
  return new Response(null, { status, headers: { location: URL.canParse(location) ? location : url.href } });
}

function withoutCredentials(headers: Headers): Headers {
  const stripped = new Headers(headers);
  stripped.delete('authorization');
  stripped.delete('cookie');
  return stripped;
}

/**
 * Where upstream sends on to.
 * @param from the URL that was asked. @throws RegistryError UPSTREAM_ANSWER for where no one should go.
 */
export function locationOf(response: Pick<Response, 'headers' | 'status'>, from: URL): URL {
  const location = response.headers.get('location');
  if (location === null) throw answerError(from, `answered ${response.status} without a Location`);
  const url = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (url === undefined)
    throw answerError(from, `answered ${response.status} with a Location that is no URL`);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw answerError(
      from,
      `redirects to a ${url.protocol} URL, where only https: and http: can be followed`,
    );
  }
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw answerError(from, `redirects from https to http (${url.host}), which is not followed`);
  }
  if (url.username !== '' || url.password !== '') {
    throw answerError(from, `redirects to a URL with a login in it (${url.host}), which is not followed`);
  }
  return url;
}
