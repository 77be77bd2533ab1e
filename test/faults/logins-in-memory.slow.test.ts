import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashSync } from 'bcryptjs';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import type { BareWorkerd } from '../support/bare-workerd.ts';
import { findTexts } from '../support/heap-snapshot.ts';
import { type LoginRegistry, late, startLoginRegistry } from '../support/login-registry.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { inspectable, inspectProcess } from '../support/process-inspector.ts';
import { childrenOf } from '../support/sample-tree.ts';
import { type V1DaemonName, v1Daemons } from '../support/v1-daemons.ts';
import { pullV1 } from '../support/v1-pull.ts';
import { v1OverSocket } from '../support/v1-raw.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Uint8Array;
}

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Milliseconds after which the client leaves. */
  readonly leaveAfter?: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 6 });
afterAll(() => agent.destroy());

/** All texts that give a client's access away: passwords, logins in Base64, tokens. */
type Secrets = Set<string>;

function basic(secrets: Secrets, kind: 'right' | 'wrong' = 'right'): string {
  const password = `${kind}-${crypto.randomUUID()}`;
  const encoded = btoa(`user-${secrets.size}:${password}`);
  secrets.add(password).add(encoded);
  return `Basic ${encoded}`;
}

function bearer(secrets: Secrets): string {
  const token = `own-${crypto.randomUUID()}`;
  secrets.add(token);
  return `Bearer ${token}`;
}

async function ask(port: number, path: string, authorization: string, sent: Sent = {}): Promise<Answer> {
  const { method = 'GET', headers, body, leaveAfter } = sent;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request(
    { host: '127.0.0.1', port, path, method, agent, headers: { ...headers, authorization } },
    (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) }),
      );
    },
  );
  outgoing.on('error', reject).end(body);
  if (leaveAfter !== undefined) setTimeout(() => outgoing.destroy(), leaveAfter);
  return promise;
}

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status);
const docker = Object.fromEntries(manifestRequestHeaders['Docker 1.13.1']);
const oldDocker = Object.fromEntries(manifestRequestHeaders['Docker 1.9.1']);
const manifests = '/v2/sample/oci/manifests';

/** One client's visit, which proves by its statuses that it went the way that it names. */
type Visit = (port: number, authorization: string) => Promise<readonly number[]>;

async function pull(port: number, authorization: string, headers: Record<string, string>, name: string) {
  const root = await ask(port, `/v2/${name}/manifests/latest`, authorization, { headers });
  const digest = String(root.headers['docker-content-digest']);
  const byDigest = await ask(port, `/v2/${name}/manifests/${digest}`, authorization, { headers });
  const blobs = await Promise.all(
    childrenOf(root.body).map((blob) => ask(port, `/v2/${name}/blobs/${blob}`, authorization, { headers })),
  );
  return statuses([root, byDigest, ...blobs]);
}

async function push(port: number, authorization: string): Promise<readonly number[]> {
  const bytes = new TextEncoder().encode(`{"made":"${crypto.randomUUID()}"}`);
  const uploads = '/v2/sample/pushed/blobs/uploads/';
  const begun = await ask(port, uploads, authorization, { method: 'POST' });
  const { pathname, search } = new URL(String(begun.headers.location), 'http://proxy.test');
  const digest = digestOf(bytes);
  const ended = await ask(port, `${pathname}${search}&digest=${digest}`, authorization, {
    method: 'PUT',
    headers: { 'content-length': String(bytes.length) },
    body: bytes,
  });
  const begunAgain = await ask(port, uploads, authorization, { method: 'POST' });
  const cancelled = new URL(String(begunAgain.headers.location), 'http://proxy.test');
  const stopped = await ask(port, `${cancelled.pathname}${cancelled.search}`, authorization, {
    method: 'DELETE',
  });
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: bytes.length };
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = { schemaVersion: 2, mediaType: type, config, layers: [] };
  const put = await ask(port, `/v2/sample/pushed/manifests/${digest.slice(7, 19)}`, authorization, {
    method: 'PUT',
    headers: { 'content-type': type },
    body: new TextEncoder().encode(JSON.stringify(manifest)),
  });
  return statuses([begun, ended, begunAgain, stopped, put]);
}

const unknown = digestOf(new TextEncoder().encode('no content'));

/** The ways of a login that upstream accepts, with the statuses of each. */
const visits: Readonly<Record<string, readonly [expected: readonly number[], visit: Visit]>> = {
  ping: [[200], async (port, login) => statuses([await ask(port, '/v2/', login)])],
  'a manifest that is remembered, and revalidated': [
    [200, 200, 200, 200],
    async (port, login) => {
      const twice = async () => [
        await ask(port, `${manifests}/latest`, login, { headers: docker }),
        await ask(port, `${manifests}/latest`, login, { headers: docker }),
      ];
      const first = await twice();
      await sleep(1_100);
      return statuses([...first, ...(await twice())]);
    },
  ],
  'HEAD and a condition': [
    [200, 200, 304],
    async (port, login) => {
      const head = () => ask(port, `${manifests}/1.0`, login, { method: 'HEAD', headers: docker });
      const [first, second] = [await head(), await head()];
      const headers = { ...docker, 'if-none-match': String(first.headers.etag) };
      return statuses([first, second, await ask(port, `${manifests}/1.0`, login, { headers })]);
    },
  ],
  'a pull of stored content': [
    [200, 200, 200, 200],
    (port, login) => pull(port, login, docker, 'sample/oci'),
  ],
  'a pull of converted content': [
    [200, 200, 200, 200],
    (port, login) => pull(port, login, oldDocker, 'sample/index-zstd'),
  ],
  lists: [
    [200, 404, 200],
    async (port, login) =>
      statuses([
        await ask(port, '/v2/sample/oci/tags/list', login),
        await ask(port, `/v2/sample/oci/referrers/${unknown}`, login),
        await ask(port, '/v2/_catalog', login),
      ]),
  ],
  'a client that leaves': [
    [],
    async (port, login) => {
      const left = [1, late.milliseconds / 2].map((leaveAfter) =>
        ask(port, late.path, login, { headers: docker, leaveAfter }),
      );
      await Promise.allSettled(left);
      return [];
    },
  ],
  push: [[202, 201, 202, 204, 201], push],
};

/** A pull by API v1: the login comes once, and then in a sealed token. */
async function pullByV1(port: number, authorization: string, index: number): Promise<void> {
  const names = Object.keys(v1Daemons) as V1DaemonName[];
  const daemon = v1Daemons[names[index % names.length] ?? 'Docker 1.3.3'];
  const login = atob(authorization.slice('Basic '.length));
  const image = daemon.asksV2 ? 'sample/oci' : 'sample/schema2';
  await pullV1({ daemon, http: v1OverSocket(port), login }, image);
}

/** Content that a search looks for: few searches that find nothing are allowed in half a minute. */
async function searchInVain(port: number, login: string): Promise<void> {
  const paths = [`${manifests}/absent`, `${manifests}/${unknown}`, `/v2/sample/oci/blobs/${unknown}`];
  for (const path of paths) expect((await ask(port, path, login, { headers: oldDocker })).status).toBe(404);
}

const rounds = 8;

async function visitAll(port: number, logins: () => string): Promise<void> {
  for (const [name, [expected, visit]] of Object.entries(visits)) {
    const found = await Promise.all(Array.from({ length: rounds }, () => visit(port, logins())));
    expect.soft(found, name).toEqual(found.map(() => expected));
  }
}

/** The process inspected, with a registry for it. */
async function start(registry: LoginRegistry | undefined, more: Record<string, string> = {}) {
  const written: string[] = [];
  const proxy = await startNodeProcess(
    {
      REGSHIFT_TAG_TTL: '1',
      ...(registry ? { REGSHIFT_UPSTREAM: registry.url } : {}),
      ...more,
      ...inspectable,
    },
    25,
    (text) => written.push(text),
  );
  return { proxy, inspector: await inspectProcess(written.join('')) };
}

/** How many secrets each path leads to. */
function countsOf(paths: readonly string[]): Readonly<Record<string, number>> {
  const alike = Map.groupBy(paths, (path) => path.replace(/[0-9]+/g, '#'));
  return Object.fromEntries([...alike].map(([path, all]) => [path, all.length]));
}

/** Milliseconds: longer than the proxy uses a token of the test's token server. */
const afterLastRequest = 2_000;

interface Scenario {
  readonly registry?: LoginRegistry;
  readonly settings?: Record<string, string>;
  readonly traffic: (proxy: BareWorkerd, secrets: Secrets) => Promise<void>;
}

/** The secrets that the process can still reach after the traffic, with the path to each. */
async function remaining({ registry, settings, traffic }: Scenario) {
  const { proxy, inspector } = await start(registry, settings);
  const secrets: Secrets = new Set();
  try {
    await traffic(proxy, secrets);
    await sleep(afterLastRequest);
    const texts = [...secrets, ...(registry?.given ?? [])];
    const snapshots = await inspector.snapshots();
    const found = snapshots.flatMap((each) => findTexts(each, texts));
    return {
      searched: texts.length,
      threads: snapshots.length,
      found: countsOf(found.map(({ path }) => path)),
    };
  } finally {
    inspector.close();
    await proxy.stop();
    await registry?.stop();
  }
}

it.each(['Basic', 'Bearer'] as const)(
  'no login stays in memory where upstream challenges by %s',
  async (scheme) => {
    const registry = await startLoginRegistry(scheme);
    const result = await remaining({
      registry,
      async traffic({ port }, secrets) {
        await visitAll(port, () => basic(secrets));
        await visitAll(port, () => bearer(secrets));
        await searchInVain(port, basic(secrets));
        const v1 = Array.from({ length: 2 * rounds }, (_, index) => pullByV1(port, basic(secrets), index));
        await Promise.all(v1);
        const wrong = Array.from({ length: rounds }, () =>
          ask(port, `${manifests}/latest`, basic(secrets, 'wrong')),
        );
        expect(new Set(statuses(await Promise.all(wrong)))).toEqual(new Set([401]));
        if (scheme === 'Basic') return;
        const token = (kind: 'right' | 'wrong') =>
          ask(port, '/token?service=test&scope=repository:sample/oci:pull', basic(secrets, kind));
        expect(statuses([await token('right'), await token('right'), await token('wrong')])).toEqual([
          200, 200, 401,
        ]);
      },
    });
    expect(result.searched).toBeGreaterThan(200);
    expect(result.found).toEqual({});
  },
);

it('no login for the proxy stays in memory', async () => {
  const users = Array.from({ length: rounds }, (_, index) => ({
    name: `user-${index}`,
    password: `right-${crypto.randomUUID()}`,
  }));
  const result = await remaining({
    settings: {
      REGSHIFT_UPSTREAM_AUTH: 'anonymous',
      REGSHIFT_CLIENT_AUTH: 'basic',
      REGSHIFT_HTPASSWD: users.map(({ name, password }) => `${name}:${hashSync(password, 4)}`).join('\n'),
    },
    async traffic({ port }, secrets) {
      for (const { name, password } of users) {
        const encoded = btoa(`${name}:${password}`);
        secrets.add(password).add(encoded);
        expect(await pull(port, `Basic ${encoded}`, docker, 'sample/oci')).toEqual([200, 200, 200, 200]);
      }
      const wrong = Array.from({ length: rounds }, () => ask(port, '/v2/', basic(secrets, 'wrong')));
      expect(new Set(statuses(await Promise.all(wrong)))).toEqual(new Set([401]));
    },
  });
  expect(result.threads).toBe(2);
  expect(result.found).toEqual({});
});

it("no JWT of the proxy's issuer stays in memory", async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwtFor = (subject: string, issuer = 'test') =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'ES256' })
      .setSubject(subject)
      .setIssuer(issuer)
      .setAudience('proxy')
      .setExpirationTime('1h')
      .sign(privateKey);
  const result = await remaining({
    settings: {
      REGSHIFT_UPSTREAM_AUTH: 'anonymous',
      REGSHIFT_CLIENT_AUTH: 'jwt',
      REGSHIFT_JWKS: JSON.stringify({ keys: [await exportJWK(publicKey)] }),
      REGSHIFT_JWT_ISSUER: 'test',
      REGSHIFT_JWT_AUDIENCE: 'proxy',
    },
    async traffic({ port }, secrets) {
      for (let round = 0; round < rounds; round += 1) {
        const [asBearer, asPassword, wrong] = [
          await jwtFor(`a${round}`),
          await jwtFor(`b${round}`),
          await jwtFor('c', 'x'),
        ];
        const encoded = btoa(`user:${asPassword}`);
        secrets.add(asBearer).add(asPassword).add(encoded).add(wrong);
        for (const login of [`Bearer ${asBearer}`, `Basic ${encoded}`]) {
          expect(await pull(port, login, docker, 'sample/oci')).toEqual([200, 200, 200, 200]);
        }
        expect((await ask(port, '/v2/', `Bearer ${wrong}`)).status).toBe(401);
      }
    },
  });
  expect(result.found).toEqual({});
});
