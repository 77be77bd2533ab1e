import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listen } from './listen.ts';

export interface TokenGate {
  readonly url: string;
  /** The scopes of each requested token, in order. */
  readonly asked: readonly (readonly string[])[];
  stop(): Promise<void>;
}

/**
 * Starts a token server in front of a real registry, which lets a request through when its token has the needed right
 * (distribution, "Token Authentication"). One login gets tokens, with the requested rights.
 */
export async function startTokenGate(registryUrl: string, login: string): Promise<TokenGate> {
  const tokens = new Map<string, ReadonlySet<string>>();
  const asked: string[][] = [];
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', address());
    if (url.pathname === '/auth') return giveToken(url, incoming, outgoing);
    const needed = rightsFor(incoming.method ?? '', url);
    const token = /^Bearer (\S+)$/.exec(incoming.headers.authorization ?? '')?.[1];
    const rights = token === undefined ? undefined : tokens.get(token);
    if (rights && needed.every((right) => rights.has(right))) return forward(registryUrl, incoming, outgoing);
    const scope = needed.length > 0 ? `,scope="${scopesOf(needed).join(' ')}"` : '';
    const challenge = `Bearer realm="${address()}/auth",service="gate"${scope}`;
    const body = JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'a token is needed' }] });
    outgoing.writeHead(401, { 'WWW-Authenticate': challenge, 'Content-Type': 'application/json' }).end(body);
  });
  const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function giveToken({ searchParams }: URL, { headers }: IncomingMessage, outgoing: ServerResponse): void {
    if (headers.authorization !== `Basic ${btoa(login)}`) {
      outgoing.writeHead(401).end('{}');
      return;
    }
    const scopes = searchParams.getAll('scope').flatMap((scope) => scope.split(' '));
    asked.push(scopes);
    const token = randomBytes(24).toString('base64url');
    tokens.set(token, new Set(scopes.flatMap(rightsIn)));
    outgoing
      .writeHead(200, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ token, expires_in: 300 }));
  }

  const { url, stop } = await listen(server);
  return { url, asked, stop };
}

/** Splits `repository:name:pull,push` into one right for each action. */
function rightsIn(scope: string): string[] {
  const at = scope.lastIndexOf(':');
  return scope
    .slice(at + 1)
    .split(',')
    .map((action) => `${scope.slice(0, at)}:${action}`);
}

function scopesOf(rights: readonly string[]): string[] {
  const subjects = Map.groupBy(rights, (right) => right.slice(0, right.lastIndexOf(':')));
  return [...subjects].map(
    ([subject, each]) => `${subject}:${each.map((right) => right.slice(subject.length + 1))}`,
  );
}

/** The rights that a request needs, as in distribution (registry/handlers/app.go, appendAccessRecords). */
function rightsFor(method: string, { pathname, searchParams }: URL): string[] {
  const [, name] = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(pathname) ?? [];
  if (name === undefined) return [];
  const own = (...actions: string[]) => actions.map((action) => `repository:${name}:${action}`);
  if (method === 'GET' || method === 'HEAD') return own('pull');
  if (method === 'DELETE' && !pathname.includes('/uploads/')) return own('delete');
  const from = searchParams.get('from');
  return [...own('pull', 'push'), ...(from ? [`repository:${from}:pull`] : [])];
}

/** Forwards a request with the Host of the gate, which the registry writes into Location. */
function forward(registryUrl: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url: path, headers } = incoming;
  const { hostname, port } = new URL(registryUrl);
  const onward = request({ hostname, port, method, path, headers, agent: false });
  onward.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  incoming.pipe(onward);
}
