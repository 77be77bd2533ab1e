import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createHttpFetch } from '../../../../../src/runtime/node/http/fetch.ts';
import { networkError } from '../../../../../src/upstream/network-errors.ts';
import { chooseProxy } from '../../../../../src/upstream/outbound-proxy.ts';
import { makeCertificate, type TestCertificate } from '../../../../support/certificate.ts';

let folder: string;
let certificate: TestCertificate;
let registry: Server;
let port: number;
/** The requests that the registry got, and the lines and logins that the proxy got. */
let served: string[];
let lines: string[];
let logins: (string | undefined)[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'regshift-outbound-'));
  certificate = makeCertificate(folder, 'registry', 90, 'DNS:registry.example');
  registry = createSecureServer(certificate, (request, response) => {
    served.push(`${request.headers.host} ${request.headers['proxy-authorization'] ?? '-'}`);
    response.end('from the registry');
  });
  await once(registry.listen(0, '127.0.0.1'), 'listening');
  ({ port } = registry.address() as AddressInfo);
});

afterAll(() => {
  registry.closeAllConnections();
  registry.close();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  served = [];
  lines = [];
  logins = [];
});

/**
 * A proxy that refuses with a status, or reaches the registry for every name.
 * @param own its certificate; it speaks TLS then.
 */
async function startOutboundProxy(
  status = 200,
  headers: Record<string, string> = {},
  own?: TestCertificate,
): Promise<URL> {
  const listener: RequestListener = (request, response) => {
    lines.push(`${request.method} ${request.url} ${request.headers.host}`);
    logins.push(request.headers['proxy-authorization']);
    response.writeHead(status, headers).end('from the proxy');
  };
  const server = own ? createSecureServer(own, listener) : createServer(listener);
  server.on('connect', (request, socket) => {
    lines.push(`CONNECT ${request.url} ${request.headers.host}`);
    logins.push(request.headers['proxy-authorization']);
    socket.on('error', () => undefined);
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const onward = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.pipe(onward).pipe(socket);
    onTestFinished(() => void socket.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port: listening } = server.address() as AddressInfo;
  return new URL(own ? `https://localhost:${listening}` : `http://user:p%40ss@127.0.0.1:${listening}`);
}

const login = `Basic ${btoa('user:p@ss')}`;

function fetchThrough(proxy: URL, authorities = certificate.cert) {
  const proxyFor = chooseProxy({ http: proxy, https: proxy, exceptions: '' });
  const tls = { authorities, insecure: false, hosts: [] };
  return createHttpFetch(undefined, undefined, { proxyFor, tls });
}

/** The message of the request that failed. */
async function problemOf(proxy: URL, href: string): Promise<string> {
  const error: unknown = await fetchThrough(proxy)(href, {}).catch((reason: unknown) => reason);
  return networkError(error, 'GET', new URL(href)).message;
}

describe('a request through an outbound proxy', () => {
  it('to an https address goes through a tunnel, which is kept and which hides it from the proxy', async () => {
    const proxy = await startOutboundProxy();
    const fetch = fetchThrough(proxy);
    for (const path of ['/one', '/two']) {
      const response = await fetch(`https://registry.example:${port}${path}`, {});
      expect(await response.text()).toBe('from the registry');
    }
    expect(lines).toEqual([`CONNECT registry.example:${port} registry.example:${port}`]);
    expect(logins).toEqual([login]);
    expect(served).toEqual([`registry.example:${port} -`, `registry.example:${port} -`]);
  });

  it('to an http address is forwarded by the proxy, with its whole URL', async () => {
    const proxy = await startOutboundProxy();
    const fetch = fetchThrough(proxy);
    const response = await fetch('http://registry.example/v2/?a=b', { headers: { accept: 'x/y' } });
    expect(await response.text()).toBe('from the proxy');
    expect(lines).toEqual(['GET http://registry.example/v2/?a=b registry.example']);
    expect(logins).toEqual([login]);
  });

  it.each([
    ['its name', 'DNS:localhost', 'localhost'],
    ['its address', 'IP:127.0.0.1', '127.0.0.1'],
  ])('that speaks TLS, with a certificate for %s by the authority of the route', async (_, names, host) => {
    const own = makeCertificate(folder, 'proxy', 90, names);
    const proxy = await startOutboundProxy(200, {}, own);
    proxy.hostname = host;
    const fetch = fetchThrough(proxy, certificate.cert + own.cert);
    const tunneled = await fetch(`https://registry.example:${port}/`, {});
    expect(await tunneled.text()).toBe('from the registry');
    const forwarded = await fetch('http://registry.example/', {});
    expect(await forwarded.text()).toBe('from the proxy');
  });

  it('that speaks TLS, with the certificate of the registry, gets nothing', async () => {
    const proxy = await startOutboundProxy(200, {}, certificate);
    for (const href of [`https://registry.example:${port}/`, 'http://registry.example/']) {
      expect(await problemOf(proxy, href)).toMatch(
        /outbound proxy localhost:\d+ failed: ERR_TLS_CERT_ALTNAME_INVALID/,
      );
    }
    expect(lines).toEqual([]);
  });

  it('keeps no tunnel for a certificate of another name', async () => {
    const proxy = await startOutboundProxy();
    expect(await problemOf(proxy, `https://other.example:${port}/`)).toMatch(/ERR_TLS_CERT_ALTNAME_INVALID/);
    expect(served).toEqual([]);
  });
});

describe('the message names the outbound proxy, without its login,', () => {
  it.each([
    [407, /status 407: it wants a login/],
    [403, /status 403: it does not allow this host/],
    [503, /status 503: it cannot connect to this host/],
    [418, /status 418: it refuses this host/],
  ])('that refuses a tunnel with %i', async (status, reason) => {
    const proxy = await startOutboundProxy(status);
    const message = await problemOf(proxy, 'https://registry.example/');
    expect(message).toMatch(reason);
    expect(message).toMatch(`the outbound proxy ${proxy.host} failed`);
    expect(message).not.toMatch('p@ss');
  });

  it('that wants a login for a plain request', async () => {
    const proxy = await startOutboundProxy(407);
    expect(await problemOf(proxy, 'http://registry.example/')).toMatch(/status 407: it wants a login/);
  });

  it.each([
    ['squid', 403, { 'x-squid-error': 'ERR_ACCESS_DENIED 0' }, /status 403: it does not allow this host/],
    ['squid', 503, { 'x-squid-error': 'ERR_CONNECT_FAIL 111' }, /status 503: it cannot connect/],
    ['tinyproxy', 401, { server: 'tinyproxy/1.11.1' }, /status 401: it wants a login/],
    ['tinyproxy', 500, { server: 'tinyproxy/1.11.1' }, /status 500: it cannot connect/],
  ])('that answers a plain request itself: %s, %i', async (_name, status, headers, reason) => {
    const proxy = await startOutboundProxy(status, headers);
    expect(await problemOf(proxy, 'http://registry.example/')).toMatch(reason);
  });

  it.each([
    [403, {}],
    [200, { server: 'tinyproxy/1.11.1' }],
    [404, { server: 'nginx' }],
  ])('and no registry that answers a plain request with %i %j', async (status, headers) => {
    const proxy = await startOutboundProxy(status, headers);
    expect((await fetchThrough(proxy)('http://registry.example/', {})).status).toBe(status);
  });

  it.each(['http', 'https'])('that cannot be reached for %s', async (scheme) => {
    const proxy = new URL('http://127.0.0.1:1');
    expect(await problemOf(proxy, `${scheme}://registry.example/`)).toMatch(
      'GET to registry.example failed (the outbound proxy 127.0.0.1:1 failed: ECONNREFUSED: nothing listens',
    );
  });
});
