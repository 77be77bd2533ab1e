import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Asked,
  give,
  goodLogin,
  type HostileUpstream,
  jsonAnswer,
  startHostileUpstream,
} from '../support/faults/hostile-upstream.ts';
import { targets } from '../support/faults/targets.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { type RawResponse, rawRequest } from '../support/raw-http.ts';
import { type SimulatedNetwork, simulateNetwork } from '../support/simulated-network.ts';

let network: SimulatedNetwork;
let upstream: HostileUpstream;
/** A server that only upstream names. */
let canary: HostileUpstream;
let proxy: RunningProxy | undefined;
let logged: string[] = [];

const portOf = ({ host }: HostileUpstream) => host.split(':')[1];
const sizeToRelay = 1_048_576;

beforeAll(async () => {
  network = simulateNetwork();
  network.resolve('registry.example', ['203.0.113.10']);
  network.resolve('registry.internal', ['10.1.2.3']);
  network.resolve('cdn.example', ['198.51.100.7']);
  network.resolve('metadata.example', ['169.254.169.254']);
  network.resolve('storage.example', ['192.168.7.7']);
  network.resolve('mapped.example', ['::ffff:169.254.169.254']);
});

beforeEach(async () => {
  [upstream, canary] = await Promise.all([startHostileUpstream(), startHostileUpstream()]);
  logged = [];
});

afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
  await Promise.all([upstream.stop(), canary.stop()]);
});

afterAll(() => network.restore());

/** Starts the proxy in front of upstream, by a name with a scripted address or by an address. */
async function start(host: string, settings: Record<string, string> = {}): Promise<void> {
  proxy = await startProxy(`http://${host}:${portOf(upstream)}`, settings, (_, message, facts) => {
    logged.push(`${message} ${JSON.stringify(facts)}`);
  });
}

const headers = [...manifestRequestHeaders['Docker 1.13.1'], ['Authorization', goodLogin] as const];

async function ask(method: string, path: string, body?: Uint8Array): Promise<RawResponse> {
  const lines = [...headers, ...(body ? [['Content-Length', String(body.length)] as const] : [])];
  return rawRequest({ port: proxy?.port ?? 0, method, path, headers: lines, ...(body ? { body } : {}) });
}

const redirectTo =
  (host: string) =>
  ({ request, response }: Asked) =>
    response.writeHead(307, { location: `http://${host}:${portOf(canary)}${request.url}` }).end();

/** The ways in which upstream can name another address. Each leads the proxy to the canary at `host`. */
const ways: Record<string, (host: string) => Promise<RawResponse>> = {
  async 'the redirect of a small blob'(host) {
    upstream.misbehave(redirectTo(host), targets['a blob'].isMeant);
    return ask('GET', targets['a blob'].path);
  },
  async 'the redirect of a blob that is relayed from socket to socket'(host) {
    upstream.misbehave(redirectTo(host), targets['a blob'].isMeant);
    canary.misbehave(
      ({ response }) =>
        give(response, { status: 200, headers: {}, body: new Uint8Array(sizeToRelay) }, false),
      () => true,
    );
    return ask('GET', targets['a blob'].path);
  },
  async 'the redirect of a manifest'(host) {
    upstream.misbehave(redirectTo(host), targets['a manifest'].isMeant);
    return ask('GET', targets['a manifest'].path);
  },
  async 'the location of an upload'(host) {
    const location = `http://${host}:${portOf(canary)}/upload?signature=x`;
    upstream.misbehave(
      ({ response }) => response.writeHead(202, { location, 'content-length': 0 }).end(),
      ({ method }) => method === 'POST',
    );
    const begun = await ask('POST', '/v2/a/b/blobs/uploads/', new Uint8Array());
    const { pathname, search } = new URL(begun.header('Location') ?? '', 'http://proxy.test');
    return ask('PATCH', `${pathname}${search}`, new Uint8Array(1));
  },
  async 'the realm of a token'(host) {
    const realm = `Bearer realm="http://${host}:${portOf(canary)}/token",service="x"`;
    upstream.misbehave(
      ({ response }) => give(response, jsonAnswer(401, {}, { 'www-authenticate': realm }), false),
      () => true,
    );
    return ask('GET', targets['a manifest'].path);
  },
};

const each = Object.entries(ways);

async function isRefused(response: Promise<RawResponse>): Promise<void> {
  const { status, body } = await response;
  expect(canary.asked).toEqual([]);
  expect(canary.connections()).toBe(0);
  expect(status).toBe(502);
  expect(new TextDecoder().decode(body)).toMatch(/names .* whose address is .*REGSHIFT_UPSTREAM_NETWORKS/);
}

async function reachesCanary(response: Promise<RawResponse>): Promise<void> {
  await response;
  expect(canary.asked.length).toBeGreaterThan(0);
}

describe.each(each)('a public upstream by %s', (_, lead) => {
  it.each([
    '127.0.0.1',
    'localhost',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '0.0.0.0',
    '[::1]',
    '[::]',
    '169.254.169.254',
    '[fe80::7]',
    '[fd00:ec2::254]',
    '100.100.100.200',
    '10.0.0.7',
    '172.16.0.7',
    '192.168.0.7',
    '100.64.0.7',
    '[fc00::7]',
    '[::ffff:169.254.169.254]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:7f00:1::]',
    'metadata.example',
    'storage.example',
    'mapped.example',
  ])('cannot lead the proxy to %s', async (host) => {
    await start('registry.example');
    await isRefused(lead(host));
  });

  it.each(['198.51.100.7', 'cdn.example', '[2001:db8::7]'])('can lead it to %s', async (host) => {
    await start('registry.example');
    await reachesCanary(lead(host));
  });

  it.each([
    ['storage.example', '192.168.7.0/24'],
    ['metadata.example', '169.254.169.254'],
    ['127.0.0.1', '127.0.0.0/8'],
    ['[64:ff9b::a00:7]', '10.0.0.0/8'],
  ])('can lead it to %s with REGSHIFT_UPSTREAM_NETWORKS=%s', async (host, networks) => {
    await start('registry.example', { REGSHIFT_UPSTREAM_NETWORKS: `172.30.0.0/16, ${networks}` });
    await reachesCanary(lead(host));
  });
});

describe.each(each)('a private upstream by %s', (_, lead) => {
  it.each(['127.0.0.1', 'metadata.example', '[fe80::7]'])('cannot lead the proxy to %s', async (host) => {
    await start('registry.internal');
    await isRefused(lead(host));
  });

  it.each(['storage.example', '10.0.0.7', '[fc00::7]', 'cdn.example'])('can lead it to %s', async (host) => {
    await start('registry.internal');
    await reachesCanary(lead(host));
  });
});

describe.each(each)('an upstream on this machine by %s', (_, lead) => {
  it.each(['127.0.0.1', 'localhost', 'storage.example'])('can lead the proxy to %s', async (host) => {
    await start('127.0.0.1');
    await reachesCanary(lead(host));
  });

  it('cannot lead it to link-local addresses', async () => {
    await start('127.0.0.1');
    await isRefused(lead('metadata.example'));
  });
});
