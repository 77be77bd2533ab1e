import { decodeProtectedHeader } from 'jose';
import type { WallClock } from '../clock.ts';
import { RegistryError } from '../errors.ts';
import type { StateKeys } from './keys.ts';
import { openContext, sealContext, type V1Context } from './v1-context.ts';
import { openToken, sealToken } from './v1-token.ts';

/** The state of a pull, as its client carries it. */
export interface SealedV1Session {
  /** A path segment. */
  readonly context: string;
  /** The value of `X-Docker-Token`. */
  readonly token: string;
}

/** The parts of a request that may carry the state of a pull. */
export interface V1Request {
  readonly url: URL;
  readonly headers: Headers;
}

interface WithV1Context {
  readonly v1Context?: V1Context;
}

/** Makes API v1 stateless: a client gets the state of its pull at the beginning, and sends it to any replica. */
export interface V1Session {
  /** Seals the state for the rest of a pull, with the login of this request. */
  seal(context: V1Context, request: V1Request): Promise<SealedV1Session>;
  /**
   * Restores the repository and the login of a request of API v1 from the state that it carries.
   * @throws RegistryError UNAUTHORIZED for state that was altered, is too old, or is of another pull; MISCONFIGURED.
   */
  open<Request extends V1Request>(request: Request): Promise<Request & WithV1Context>;
}

export interface V1SessionOptions {
  /** @throws RegistryError MISCONFIGURED if replicas would have different keys. */
  readonly keys: () => Promise<StateKeys>;
  /** The id of the route that the keys are for. */
  readonly route: string;
  readonly wallClock: WallClock;
}

/** The beginning of the URLs of a pull; the context follows it. */
export const contextPath = '/v1ctx/';

export function isV1Path(pathname: string): boolean {
  return /^\/+v1(?:ctx)?(?:\/|$)/.test(pathname);
}

export function createV1Session({ keys, route, wallClock }: V1SessionOptions): V1Session {
  async function contextOf(sealed: string): Promise<V1Context> {
    const context = await openContext(sealed, (await keys()).context);
    if (context === undefined) throw invalidSession('The address was not given out here');
    return context;
  }

  async function tokenOf(sealed: string) {
    const token = await openToken(sealed, (await keys()).token, wallClock());
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
        token: await sealToken({ repository, authorization }, tokenKey, route, wallClock()),
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
 * The id of the route that the state of a request names. The id is no proof, because only the
 * keys of that route open the state.
 * @returns undefined for a request without state, "" for state that the proxy did not write.
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

/** Removes the placeholders that Docker sends instead of a login from a request without state. */
export function withoutSession<Request extends V1Request>(request: Request): Request {
  const isEmptyToken = tokenIn(request.headers) !== undefined;
  return withAuthorization(request, isEmptyToken ? undefined : loginIn(request.headers));
}

function splitPath(pathname: string): { sealedContext: string | undefined; path: string } {
  const [, sealedContext, rest] = /^\/+v1ctx\/([^/]+)(\/.*)$/.exec(pathname) ?? [];
  return { sealedContext, path: rest ?? pathname };
}

/**
 * The token of a request. Docker 1.3 to 1.6 send a bare `Token ` if they got no token: that is "", which is no state.
 */
function tokenIn(headers: Headers): string | undefined {
  const value = /^token(?:\s+(.*))?$/i.exec(headers.get('authorization') ?? '');
  return value === null ? undefined : (value[1] ?? '').trim();
}

/** The login of a request. Over HTTPS, Docker 1.3 to 1.9 send an empty name and password without a login. */
function loginIn(headers: Headers): string | undefined {
  const authorization = headers.get('authorization') ?? undefined;
  return /^basic\s+Og==$/i.test(authorization ?? '') ? undefined : authorization;
}

/** @param problem a sentence without a full stop. */
export function invalidSession(problem: string): RegistryError {
  return new RegistryError('UNAUTHORIZED', `${problem}. Pull again.`, {
    headers: { 'WWW-Authenticate': 'Basic realm="regshift"' },
  });
}

/** A copy of a request with another Authorization value, or without one. */
function withAuthorization<Request extends V1Request>(
  request: Request,
  authorization: string | undefined,
): Request {
  const headers = new Headers(request.headers);
  headers.delete('authorization');
  if (authorization !== undefined) headers.set('authorization', authorization);
  return { ...request, headers };
}
