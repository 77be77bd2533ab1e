import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createHttpFetch } from '../../../../../src/runtime/node/http/fetch.ts';
import { withNetworkRules } from '../../../../../src/upstream/network-rules.ts';
import { chooseProxy, readProxyEnvironment } from '../../../../../src/upstream/outbound-proxy.ts';
import type { AddressRule, Fetch } from '../../../../../src/upstream/send.ts';
import { makeCertificate } from '../../../../support/certificate.ts';
import { type SimulatedNetwork, simulateNetwork } from '../../../../support/simulated-network.ts';
import { answer, type LocalServer, startServer } from '../../../upstream/local-server.ts';

let network: SimulatedNetwork;
let server: LocalServer;
let connections: Set<unknown>;

beforeAll(() => {
  network = simulateNetwork();
});

afterAll(() => network.restore());

beforeEach(async () => {
  connections = new Set();
  server = await startServer((request, response) => {
    connections.add(request.socket);
    answer(response, 200, '', request.url === '/last' ? { connection: 'close' } : {});
  });
});

const at = (host: string, path = '/', scheme = 'http') => `${scheme}://${host}:${server.url.port}${path}`;

async function read(response: Promise<Response>): Promise<number> {
  const { status, body } = await response;
  await body?.pipeTo(new WritableStream());
  return status;
}

function ruledFetch(upstream: string, fetch: Fetch): Fetch {
  const rest = { networks: [], clock: Date.now, log: () => undefined };
  return withNetworkRules({ fetch, upstream: new URL(upstream), ...rest });
}

/** The requests of an upstream over `fetch`. */
function requestsOf(upstream: string, fetch: Fetch) {
  const ruled = ruledFetch(at(upstream), fetch);
  return (host: string, path?: string, scheme?: string) => read(ruled(at(host, path, scheme), {}));
}

/** Refuses addresses and records all that it is asked about. */
function refusing(...addresses: readonly string[]) {
  const asked: string[] = [];
  const rule: AddressRule = {
    key: 'test',
    async refusal(address) {
      asked.push(address);
      return addresses.includes(address) ? (new Error(`not ${address}`) as never) : undefined;
    },
  };
  return { rule, asked };
}

describe('a name', () => {
  it('with several addresses reaches only those that the rule allows', async () => {
    network.resolve('mixed.example', ['169.254.169.254', '198.51.100.7', '::ffff:10.0.0.1']);
    const { rule, asked } = refusing('169.254.169.254', '::ffff:10.0.0.1');
    let peer = '';
    const onPeer = (address: string) => {
      peer = address;
    };
    expect(await read(createHttpFetch()(at('mixed.example'), { addresses: rule, onPeer }))).toBe(200);
    expect(asked).toEqual(['169.254.169.254', '198.51.100.7', '::ffff:10.0.0.1']);
    expect(peer).toBe('198.51.100.7');
  });

  it('whose addresses are all refused reaches none, and fails with the first refusal', async () => {
    network.resolve('refused.example', ['169.254.169.254', '10.0.0.1']);
    const { rule } = refusing('169.254.169.254', '10.0.0.1');
    const fetching = createHttpFetch()(at('refused.example'), { addresses: rule });
    await expect(fetching).rejects.toThrow('not 169.254.169.254');
    expect(server.requests).toEqual([]);
  });

  it('is resolved once for check and connection, and again for the next connection', async () => {
    network.resolve('registry.example', ['203.0.113.10']);
    network.resolve('rebinding.example', ['198.51.100.7'], ['169.254.169.254']);
    const request = requestsOf('registry.example', createHttpFetch());
    const lookups = () => network.lookups.filter((name) => name === 'rebinding.example').length;
    await request('registry.example');
    expect(await request('rebinding.example', '/last')).toBe(200);
    expect(lookups()).toBe(1);
    await expect(request('rebinding.example')).rejects.toThrow('whose address is link-local');
    expect(lookups()).toBe(2);
    expect(server.log).toEqual(['GET / -', 'GET /last -']);
  });

  it('with a private address gets no TLS connection either', async () => {
    network.resolve('registry.example', ['203.0.113.10']);
    network.resolve('storage.example', ['10.0.0.7']);
    network.resolve('cdn.example', ['198.51.100.7']);
    const request = requestsOf('registry.example', createHttpFetch());
    await expect(request('storage.example', '/', 'https')).rejects.toThrow('whose address is private');
    // A server without TLS breaks off the handshake, so it was reached.
    await expect(request('cdn.example', '/', 'https')).rejects.not.toThrow('whose address');
  });
});

describe('a kept connection', () => {
  beforeEach(() => {
    network.resolve('registry.internal', ['10.1.2.3']);
    network.resolve('registry.example', ['203.0.113.10']);
    network.resolve('storage.example', ['10.0.0.7']);
  });

  it('to a private address is not used for another upstream, which is public', async () => {
    const fetch = createHttpFetch();
    const inside = requestsOf('registry.internal', fetch);
    const outside = requestsOf('registry.example', fetch);
    expect(await inside('storage.example')).toBe(200);
    expect(await inside('storage.example')).toBe(200);
    expect(await outside('registry.example')).toBe(200);
    await expect(outside('storage.example')).rejects.toThrow('whose address is private');
  });

  it('to an upstream is not used for another one that names it', async () => {
    const fetch = createHttpFetch();
    expect(await requestsOf('registry.internal', fetch)('registry.internal')).toBe(200);
    const outside = requestsOf('registry.example', fetch);
    expect(await outside('registry.example')).toBe(200);
    await expect(outside('registry.internal')).rejects.toThrow('whose address is private');
  });

  it('is not used once upstream answers from a wider network', async () => {
    network.resolve('moving.example', ['10.1.2.3'], ['203.0.113.10']);
    const request = requestsOf('moving.example', createHttpFetch());
    expect(await request('moving.example', '/last')).toBe(200);
    expect(await request('storage.example')).toBe(200);
    expect(await request('moving.example', '/last')).toBe(200);
    await expect(request('storage.example')).rejects.toThrow('whose address is private');
  });

  it('is used again by requests with the same rule', async () => {
    network.resolve('cdn.example', ['198.51.100.7']);
    const fetch = createHttpFetch();
    const [one, other] = [requestsOf('registry.example', fetch), requestsOf('registry.example', fetch)];
    await one('registry.example', '/last');
    await other('registry.example', '/last');
    connections.clear();
    expect([await one('cdn.example'), await other('cdn.example')]).toEqual([200, 200]);
    expect(connections.size).toBe(1);
  });
});

// Node 24 has authorities that can be added.
const isNode24 = Number.parseInt(process.versions.node, 10) >= 24;

describe.runIf(isNode24)('an upstream with TLS', () => {
  it('is where its connection leads', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'regshift-networks-'));
    const certificate = makeCertificate(folder, 'upstream', 90, 'DNS:registry.internal');
    const secure = createServer(certificate, (_, response) => response.end());
    await once(secure.listen(0, '127.0.0.1'), 'listening');
    const authorities = tls.getCACertificates();
    tls.setDefaultCACertificates([...authorities, certificate.cert]);
    onTestFinished(() => {
      tls.setDefaultCACertificates(authorities);
      secure.closeAllConnections();
      secure.close();
      rmSync(folder, { recursive: true });
    });
    network.resolve('registry.internal', ['10.1.2.3']);
    network.resolve('storage.example', ['10.0.0.7']);
    const own = `https://registry.internal:${(secure.address() as AddressInfo).port}/v2/`;
    const fetch = ruledFetch(own, createHttpFetch());
    expect([await read(fetch(own, {})), await read(fetch(own, {}))]).toEqual([200, 200]);
    expect(await read(fetch(at('storage.example'), {}))).toBe(200);
    await expect(fetch(at('127.0.0.1'), {})).rejects.toThrow('its own address is private');
    expect(server.log).toEqual(['GET / -']);
  });
});

describe('behind an outbound proxy', () => {
  const proxiedFetch = () => {
    const environment = { HTTP_PROXY: at('proxy.example'), NO_PROXY: 'registry.internal,direct.example' };
    const proxyFor = chooseProxy(readProxyEnvironment(environment));
    return createHttpFetch(undefined, undefined, { proxyFor });
  };

  beforeEach(() => {
    network.resolve('proxy.example', ['10.0.0.99']);
    network.resolve('registry.internal', ['10.1.2.3']);
    network.resolve('direct.example', ['10.0.0.7']);
  });

  it('names go to the proxy unresolved, and addresses are refused', async () => {
    const request = requestsOf('registry.example', proxiedFetch());
    // The address of the proxy, which is private, is not the address of upstream.
    expect(await request('registry.example')).toBe(200);
    await expect(request('127.0.0.1')).rejects.toThrow('whose address is loopback');
    await expect(request('localhost')).rejects.toThrow('whose address is loopback');
    await expect(request('10.0.0.7')).rejects.toThrow('its own address is public');
    const before = network.lookups.length;
    expect(await request('storage.example')).toBe(200);
    expect(network.lookups.slice(before).filter((name) => name !== 'proxy.example')).toEqual([]);
    expect(server.log.at(-1)).toBe(`GET ${at('storage.example')} -`);
  });

  it('names of NO_PROXY are checked', async () => {
    const request = requestsOf('registry.example', proxiedFetch());
    expect(await request('registry.example')).toBe(200);
    await expect(request('direct.example')).rejects.toThrow('whose address is private');
  });

  it('an upstream of NO_PROXY is where its name leads', async () => {
    const request = requestsOf('registry.internal', proxiedFetch());
    expect(await request('registry.internal')).toBe(200);
    expect(await request('direct.example')).toBe(200);
    expect(await request('10.0.0.7')).toBe(200);
    await expect(request('127.0.0.1')).rejects.toThrow('its own address is private');
  });
});
