import { connect } from 'node:net';

export interface RawRequest {
  readonly port: number;
  readonly method: string;
  /** The path, sent unchanged: `//v2/` stays `//v2/`. */
  readonly path: string;
  /** The headers, sent in this order and spelling. Only Host is added, first, as Go's client does. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly host?: string;
  /** The body; the headers must contain its Content-Length. */
  readonly body?: Uint8Array;
  /** Milliseconds until the whole response must have arrived; 10 seconds by default. */
  readonly deadline?: number;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: readonly [name: string, value: string][];
  /** All values of a header in any spelling, joined by a comma; `undefined` without one. */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

/**
 * Sends HTTP/1.1 byte for byte: `fetch` and undici add their own Accept and Accept-Encoding, and Docker ≤ 1.9 sends no
 * Accept at all.
 * @throws Error at the deadline, and for a response that ends before its stated length.
 */
export async function rawRequest(request: RawRequest): Promise<RawResponse> {
  const { port, method, body = new Uint8Array(), deadline = 10_000 } = request;
  const { promise, resolve, reject } = Promise.withResolvers<RawResponse>();
  const what = `${method} ${request.path} on port ${port}`;
  const socket = connect(port, '127.0.0.1');
  const timer = setTimeout(() => reject(new Error(`${what}: no answer within ${deadline} ms`)), deadline);
  let received = Buffer.alloc(0);
  const settle = (ended: boolean) => {
    try {
      const response = parse(received, method, ended);
      if (response !== undefined) resolve(response);
    } catch (error) {
      reject(error);
    }
  };
  socket.on('connect', () => socket.write(Buffer.concat([requestHead(request), body])));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    settle(false);
  });
  socket.on('end', () => {
    settle(true);
    reject(new Error(`${what}: the answer ended after ${received.length} bytes, before it was whole`));
  });
  socket.on('error', reject);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

function requestHead({ port, method, path, headers, host = `127.0.0.1:${port}` }: RawRequest): Buffer {
  const lines = [['Host', host] as const, ...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}

/** Parses a response; `undefined` while bytes are missing. */
function parse(received: Buffer, method: string, ended: boolean): RawResponse | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]);
  if (Number.isNaN(status)) throw new Error(`Not a status line: ${statusLine}`);
  const rest = received.subarray(headEnd + 4);
  if (status < 200) return parse(rest, method, ended);

  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const header = (name: string): string | undefined => {
    const values = headers.filter(([each]) => each.toLowerCase() === name.toLowerCase());
    return values.length === 0 ? undefined : values.map(([, value]) => value).join(', ');
  };
  const hasBody = method !== 'HEAD' && status !== 204 && status !== 304;
  const body = hasBody ? readBody(rest, header, ended) : new Uint8Array();
  return body && { status, headers, header, body: new Uint8Array(body) };
}

function readBody(
  rest: Buffer,
  header: (name: string) => string | undefined,
  ended: boolean,
): Uint8Array | undefined {
  if (header('Transfer-Encoding')?.toLowerCase() === 'chunked') return readChunks(rest);
  const length = header('Content-Length');
  if (length === undefined) return ended ? rest : undefined;
  return rest.length >= Number(length) ? rest.subarray(0, Number(length)) : undefined;
}

function readChunks(rest: Buffer): Uint8Array | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  while (true) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error('A chunk has no size');
    const start = lineEnd + 2;
    if (size === 0) return rest.indexOf('\r\n\r\n', lineEnd) < 0 ? undefined : Buffer.concat(chunks);
    if (rest.length < start + size + 2) return undefined;
    chunks.push(rest.subarray(start, start + size));
    at = start + size + 2;
  }
}
