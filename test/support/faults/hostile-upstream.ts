import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSampleRegistry } from '../../../src/sample-registry/registry.ts';
import { listen } from '../listen.ts';

/** The response of a good registry. */
export interface GoodAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, for a HEAD too, so that a fault can break it. */
  readonly body: Uint8Array;
}

export interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly good: GoodAnswer;
}

/** Responds in place of a good registry, or never responds. */
export type Misbehave = (asked: Asked) => unknown;

export interface Ask {
  readonly method: string;
  /** The path with the query. */
  readonly path: string;
  readonly authorization: string | undefined;
}

export interface HostileUpstream {
  readonly url: string;
  readonly host: string;
  /** All requests, in order. */
  readonly asked: readonly Ask[];
  /** The number of open connections. */
  connections(): number;
  /** Gives this fault to the requests that `isMeant` selects, until `recover`; all others get a good response. */
  misbehave(how: Misbehave, isMeant: (ask: Ask) => boolean): void;
  recover(): void;
  stop(): Promise<void>;
}

/** Responds as a good registry, before a fault changes the response. */
export type GoodRegistry = (request: IncomingMessage) => Promise<GoodAnswer>;

/** The only login that the registry accepts, when it wants one. */
export const goodLogin = `Basic ${btoa('user:hunter-secret')}`;
const goodToken = 'good-token';

/**
 * Starts a registry on a real socket that breaks every rule on demand.
 * @param wants `token` requires a token, which its own `/token` gives to the one login.
 * @param registry serves the samples by default.
 */
export async function startHostileUpstream(
  wants: 'nothing' | 'token' = 'nothing',
  registry: GoodRegistry = sampleRegistry(),
): Promise<HostileUpstream> {
  const asked: Ask[] = [];
  let fault: { readonly how: Misbehave; readonly isMeant: (ask: Ask) => boolean } | undefined;
  let host = '';

  const server = createServer(async (request, response) => {
    response.on('error', () => undefined);
    const { method = '', url: path = '', headers } = request;
    const ask = { method, path, authorization: headers.authorization };
    asked.push(ask);
    const guard = path.startsWith('/token') ? tokenAnswer(ask) : wants === 'token' && challenge(ask, host);
    const answer = guard || (await registry(request));
    if (fault?.isMeant(ask)) await fault.how({ request, response, good: answer });
    else give(response, answer, method === 'HEAD');
  });
  server.on('clientError', (_, socket) => socket.destroy());
  const { url, stop, ...listening } = await listen(server);
  host = listening.host;
  let open = 0;
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
  });
  return {
    url,
    host,
    asked,
    connections: () => open,
    misbehave: (how, isMeant) => {
      fault = { how, isMeant };
    },
    recover: () => {
      fault = undefined;
    },
    stop,
  };
}

export function give(response: ServerResponse, { status, headers, body }: GoodAnswer, head: boolean): void {
  response.writeHead(status, { ...headers, 'content-length': body.length });
  response.end(head ? undefined : body);
}

export function jsonAnswer(status: number, value: unknown, headers: Record<string, string> = {}): GoodAnswer {
  const body = new TextEncoder().encode(JSON.stringify(value));
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** An error in the form of the distribution spec. */
export function refusal(status: number, code: string, headers: Record<string, string> = {}): GoodAnswer {
  return jsonAnswer(status, { errors: [{ code, message: 'as the test wants it' }] }, headers);
}

function tokenAnswer({ authorization }: Ask): GoodAnswer {
  if (authorization !== goodLogin) return refusal(401, 'UNAUTHORIZED');
  return jsonAnswer(200, { token: goodToken, expires_in: 300 });
}

/** Challenges a request. @returns undefined for a request that may pass. */
function challenge({ authorization }: Ask, host: string): GoodAnswer | undefined {
  if (authorization === `Bearer ${goodToken}`) return undefined;
  const value = `Bearer realm="http://${host}/token",service="hostile"`;
  return refusal(401, 'UNAUTHORIZED', { 'www-authenticate': value });
}

function sampleRegistry(): GoodRegistry {
  const samples = createSampleRegistry();
  return async ({ url = '/', headers }) =>
    readGoodAnswer(await samples.fetch(`http://sample.test${url}`, { headers: sentHeaders(headers) }));
}

export function sentHeaders(headers: IncomingMessage['headers']): Headers {
  const sent = new Headers();
  for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') sent.set(name, value);
  return sent;
}

export async function readGoodAnswer(answer: Response): Promise<GoodAnswer> {
  const body = new Uint8Array(await answer.arrayBuffer());
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body };
}
