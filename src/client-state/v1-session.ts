import { decodeProtectedHeader } from 'jose';
import { RegistryError } from '../errors.ts';
import type { StateKeys } from './keys.ts';
import { openContext, sealContext, type V1Context } from './v1-context.ts';
import { openToken, sealToken } from './v1-token.ts';

export interface SealedV1Session {
  /** A segment of a path. */
  readonly context: string;
  /** For `X-Docker-Token`. */
  readonly token: string;
}

/** The part of a request that tells what its client was told before. */
export interface V1Request {
  readonly url: URL;
  readonly headers: Headers;
}

interface WithV1Context {
  readonly v1Context?: V1Context;
}

/** What makes API v1 stateless: what a client is told at the beginning of a pull, and brings back to any replica. */
export interface V1Session {
  /** For the rest of a client's pull, with the login that this request has. */
  seal(context: V1Context, request: V1Request): Promise<SealedV1Session>;
  /**
   * A request of API v1 as it would be if its URL named the repository and the client sent its login each time.
   * @throws RegistryError UNAUTHORIZED for a claim that was altered, is too old, or is of another pull; MISCONFIGURED.
   */
  open<Request extends V1Request>(request: Request): Promise<Request & WithV1Context>;
}

export interface V1SessionOptions {
  /** @throws RegistryError MISCONFIGURED where replicas would not have the same ones. */
  readonly keys: () => Promise<StateKeys>;
  /** The id of the route that they are for. */
  readonly route: string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** The path before which a context stands in the URLs of a pull. */
export const contextPath = '/v1ctx/';

export function isV1Path(pathname: string): boolean {
  return /^\/+v1(?:ctx)?(?:\/|$)/.test(pathname);
}

export function createV1Session({ keys, route, clock }: V1SessionOptions): V1Session {
  async function contextOf(sealed: string): Promise<V1Context> {
    const context = await openContext(sealed, (await keys()).context);
    if (context === undefined) throw invalidSession('The address was not given out here');
    return context;
  }

  async function tokenOf(sealed: string) {
    const token = await openToken(sealed, (await keys()).token, clock());
    if (token === undefined)
      throw invalidSession('The token is not one that was given out here, or is too old');
    return token;
  }

  return {
    async seal(context, { headers }) {
      const { context: contextKey, token: tokenKey } = await keys();
      const { repository } = context;
      const authorization = headers.get('authorization') ?? undefined;
      return {
        context: await sealContext(context, contextKey, route),
        token: await sealToken({ repository, authorization }, tokenKey, route, clock()),
      };
    },

    async open(request) {
      const { sealedContext, path } = splitPath(request.url.pathname);
      const context = sealedContext === undefined ? undefined : await contextOf(sealedContext);
      const sealedToken = tokenIn(request.headers);
      const token = sealedToken ? await tokenOf(sealedToken) : undefined;
      if (token && context && token.repository !== context.repository) {
        throw invalidSession('The token is of another repository');
      }
      const url = new URL(request.url);
      url.pathname = path;
      const authorization = sealedToken === undefined ? loginIn(request.headers) : token?.authorization;
      const known = context ?? (token && { repository: token.repository, tag: undefined });
      return { ...withAuthorization(request, authorization), url, ...(known ? { v1Context: known } : {}) };
    },
  };
}

/**
 * The route that the claims of a request say they are for: only its own keys open them, so what is said is no proof.
 * @returns undefined for a request without claims, "" for what is no claim of ours.
 */
export function sessionRoute({ url, headers }: V1Request): string | undefined {
  const sealed = splitPath(url.pathname).sealedContext ?? tokenIn(headers);
  if (!sealed) return undefined;
  try {
    return String(decodeProtectedHeader(sealed).kid ?? '');
  } catch {
    return '';
  }
}

/** A request without claims as it would be without what Docker sends in the place of a login. */
export function withoutSession<Request extends V1Request>(request: Request): Request {
  const isEmptyToken = tokenIn(request.headers) !== undefined;
  return withAuthorization(request, isEmptyToken ? undefined : loginIn(request.headers));
}

function splitPath(pathname: string): { sealedContext: string | undefined; path: string } {
  const [, sealedContext, rest] = /^\/+v1ctx\/([^/]+)(\/.*)$/.exec(pathname) ?? [];
  return { sealedContext, path: rest ?? pathname };
}

/** Docker 1.3 to 1.6 send a bare `Token ` when they were given none: that is "", and no claim. */
function tokenIn(headers: Headers): string | undefined {
  const value = /^token(?:\s+(.*))?$/i.exec(headers.get('authorization') ?? '');
  return value === null ? undefined : (value[1] ?? '').trim();
}

/** Over HTTPS, Docker 1.3 to 1.9 log in with no name and no password when nobody has logged in. */
function loginIn(headers: Headers): string | undefined {
  const authorization = headers.get('authorization') ?? undefined;
  return /^basic\s+Og==$/i.test(authorization ?? '') ? undefined : authorization;
}

export function invalidSession(what: string): RegistryError {
  return new RegistryError('UNAUTHORIZED', `${what}. Pull again.`, {
    headers: { 'WWW-Authenticate': 'Basic realm="regshift"' },
  });
}

/** The same request, as if this Authorization value had come with it. */
function withAuthorization<Request extends V1Request>(
  request: Request,
  authorization: string | undefined,
): Request {
  const headers = new Headers(request.headers);
  headers.delete('authorization');
  if (authorization !== undefined) headers.set('authorization', authorization);
  return { ...request, headers };
}
