import { gzipSync } from 'node:zlib';
import { type Asked, give, type Misbehave, refusal } from './hostile-upstream.ts';

const html = new TextEncoder().encode('<html><body>Maintenance</body></html>');
const isHead = ({ request }: Asked) => request.method === 'HEAD';

/** Writes bytes to the socket, past the rules of Node's HTTP server. */
function raw(...pieces: readonly (string | Uint8Array)[]): Misbehave {
  return ({ response }) => {
    for (const piece of pieces) response.socket?.write(piece);
    response.socket?.end();
  };
}

function answers(status: number, code: string, headers: Record<string, string> = {}): Misbehave {
  return (asked) => give(asked.response, refusal(status, code, headers), isHead(asked));
}

function redirects(to: (asked: Asked) => string | undefined, status = 307): Misbehave {
  return (asked) => {
    const location = to(asked);
    asked.response.writeHead(status, location === undefined ? {} : { location }).end();
  };
}

/** Sends the good response with a change. */
function changed(change: (good: Asked['good']) => Partial<Asked['good']>): Misbehave {
  return (asked) => give(asked.response, { ...asked.good, ...change(asked.good) }, isHead(asked));
}

function withHeader(name: string, value: string): Misbehave {
  return changed(({ headers }) => ({ headers: { ...headers, [name]: value } }));
}

const flipped = ({ body }: Asked['good']) => ({
  body: body.map((byte, at) => (at === body.length - 2 ? byte ^ 1 : byte)),
});

function withoutLength({ 'content-length': _, ...others }: Readonly<Record<string, string>>) {
  return others;
}

/** Sends half of the good body, and then calls `after`. */
function half(framing: 'length' | 'chunked', after: (asked: Asked) => void): Misbehave {
  return (asked) => {
    const { response, good } = asked;
    const length = framing === 'length' ? { 'content-length': String(good.body.length) } : {};
    response.writeHead(good.status, { ...withoutLength(good.headers), ...length });
    response.flushHeaders();
    if (isHead(asked)) response.end();
    else response.write(good.body.subarray(0, good.body.length >> 1), () => after(asked));
  };
}

/** The faults of an upstream that end at once. */
export const quickFaults = {
  'closes the connection unanswered': ({ response }) => response.socket?.destroy(),
  'resets the connection': ({ response }) => response.socket?.resetAndDestroy(),
  'answers something that is not HTTP': raw('SSH-2.0-OpenSSH_9.2\r\n'),
  'answers half a head': raw('HTTP/1.1 200 OK\r\nContent-Le'),
  'answers headers of 64 KiB': ({ response, good }) => {
    response.writeHead(200, { ...good.headers, 'x-large': 'x'.repeat(65_536) }).end();
  },
  'answers with a control character in a header': raw('HTTP/1.1 200 OK\r\nContent-Type: a/\u0001b\r\n\r\n'),
  'answers two lengths': raw('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'),
  'answers status 999': raw('HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n'),
  'switches protocols': raw(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n',
  ),
  'cuts a body of known length': half('length', ({ response }) => response.socket?.destroy()),
  'cuts a body in chunks': half('chunked', ({ response }) => response.socket?.destroy()),
  'says less than the length': (asked) => {
    const { good, response } = asked;
    const lines = Object.entries({ ...good.headers, 'content-length': good.body.length - 1 });
    response.socket?.write(
      `HTTP/1.1 ${good.status} OK\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
    );
    if (!isHead(asked)) response.socket?.write(good.body);
    response.socket?.end();
  },
  'names the digest of something else': withHeader('docker-content-digest', `sha256:${'0'.repeat(64)}`),
  'names a digest that is none': withHeader('docker-content-digest', 'sha256:../../etc/passwd'),
  'sends wrong bytes': changed(flipped),
  'sends nothing with 200': changed(() => ({ body: new Uint8Array() })),
  'sends HTML with 200': changed(() => ({
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: html,
  })),
  'says gzip and sends gzip': changed(({ headers, body }) => ({
    headers: { ...headers, 'content-encoding': 'gzip' },
    body: gzipSync(body),
  })),
  'says gzip and sends none': withHeader('content-encoding', 'gzip'),
  'sends 5 MiB': changed(() => ({ body: new Uint8Array(5 << 20).fill(32) })),
  'answers 204': ({ response }) => response.writeHead(204).end(),
  'answers 304 unasked': ({ response }) => response.writeHead(304).end(),
  'answers 206 unasked': changed(() => ({ status: 206 })),
  'answers 401 without a challenge': answers(401, 'UNAUTHORIZED'),
  'answers 401 to every login': (asked) => {
    const realm = `http://${asked.request.headers.host}/token`;
    const challenge = { 'www-authenticate': `Bearer realm="${realm}",service="hostile"` };
    give(asked.response, refusal(401, 'UNAUTHORIZED', challenge), isHead(asked));
  },
  'answers 403': answers(403, 'DENIED'),
  'answers 404 MANIFEST_UNKNOWN': answers(404, 'MANIFEST_UNKNOWN'),
  'answers 404 NAME_UNKNOWN': answers(404, 'NAME_UNKNOWN'),
  'answers 404 BLOB_UNKNOWN': answers(404, 'BLOB_UNKNOWN'),
  'answers 404 in HTML': changed(() => ({
    status: 404,
    headers: { 'content-type': 'text/html' },
    body: html,
  })),
  'answers 405': answers(405, 'UNSUPPORTED'),
  'answers 429': answers(429, 'TOOMANYREQUESTS', { 'retry-after': '17' }),
  'answers 500': answers(500, 'UNKNOWN'),
  'answers 502 in HTML': changed(() => ({
    status: 502,
    headers: { 'content-type': 'text/html' },
    body: html,
  })),
  'answers 503': answers(503, 'UNAVAILABLE', { 'retry-after': '3' }),
  'redirects to itself': redirects(({ request }) => request.url),
  'redirects nowhere': redirects(() => undefined),
  'redirects to a file': redirects(() => 'file:///etc/passwd'),
  'redirects to a login': redirects(() => 'http://user:password@127.0.0.1/'),
  'redirects to a closed port': redirects(() => 'http://127.0.0.1:1/'),
} satisfies Record<string, Misbehave>;

/** The faults of a blob that its client must find out: the blob passes through as it comes, at its own speed. */
export const contentFaults: readonly string[] = [
  'says less than the length',
  'sends wrong bytes',
  'sends nothing with 200',
  'sends HTML with 200',
  'sends 5 MiB',
] satisfies (keyof typeof quickFaults)[];

/** The faults that never end: a deadline of the proxy ends them. */
export const slowFaults = {
  'never answers': () => undefined,
  'stalls in a body of known length': half('length', () => undefined),
  'stalls in a body in chunks': half('chunked', () => undefined),
  'stalls in the body of a 404': (asked) => {
    asked.response.writeHead(404, { 'content-type': 'application/json', 'content-length': 100 });
    if (isHead(asked)) asked.response.end();
    else asked.response.write('{"errors":');
  },
  'never ends a body': (asked) => {
    const { response, good } = asked;
    response.writeHead(good.status, withoutLength(good.headers));
    const more = () => {
      while (response.write(new Uint8Array(65_536).fill(32)));
    };
    response.on('drain', more);
    if (isHead(asked)) response.end();
    else more();
  },
  'drips a body, a byte a second': (asked) => {
    const { response, good } = asked;
    response.writeHead(good.status, good.headers);
    if (isHead(asked)) return void response.end();
    let at = 0;
    const timer = setInterval(() => response.write(good.body.subarray(at, ++at)), 1_000);
    response.on('close', () => clearInterval(timer));
  },
} satisfies Record<string, Misbehave>;
