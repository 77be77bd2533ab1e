import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClient, RESP_TYPES } from '@redis/client';
import { mediaTypes } from '../../converters/media-types.ts';
import { freePort, startDaemon } from './daemon.ts';
import { startRedisServer, writeToRedis } from './redis-server.ts';
import { type SampleServer, startSampleServer } from './sample-server.ts';
import { childrenOf } from './sample-tree.ts';
import { testSigningKey } from './signing-key.ts';
import {
  type DerivedDigest,
  entriesOf,
  type Kept,
  requestFor,
  type StoredEntries,
} from './stored-entries.ts';
import { quietWrangler, wrangler } from './wrangler.ts';

/**
 * Writes `test/golden/stored-by-0.1/`: the entries that version 0.1 at commit 1b732c9 writes into a Redis and into
 * Workers KV while clients pull samples from it by tag. The files are frozen: entries outlive the version that wrote
 * them, so later versions must read these. To write them again, check out that commit, install its dependencies, and
 * run with redis-server installed:
 *
 *     npm run stored:entries <folder of that checkout>
 *
 * The upstream registry is the sample registry on a real socket. The names of entries depend on its address, which
 * is therefore a fixed one of the loopback network 127.0.0.0/8.
 */
const upstreamHost = '127.0.62.1';
const upstreamPort = 5062;
const upstream = `http://${upstreamHost}:${upstreamPort}`;
const signingKey = JSON.stringify(testSigningKey);
const settings = { REGSHIFT_UPSTREAM: upstream, REGSHIFT_SIGNING_KEY: signingKey, LOG_LEVEL: 'error' };

/** Samples of every stored form, with an index of each family; each file stays below 200 KB. */
const samples = [
  'sample/generic-v1-target',
  'sample/fat-generic-table',
  'sample/schema1',
  'sample/schema2-empty-layers',
  'sample/list',
  'sample/oci-zstd',
  'sample/index-zstd',
];

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex, generic } = mediaTypes;
const manifestTypes: readonly string[] = [schema2, dockerList, ociManifest, ociIndex, generic];
const docker = 'docker/20.10.24 go/go1.19.8 os/linux arch/amd64';

/** Headers of clients that read one form each; Docker 20.10 does not read the zstd layers of OCI. */
const clients: readonly Readonly<Record<string, string>>[] = [
  { Accept: schema1Signed },
  { Accept: `${schema2}, ${dockerList}` },
  { Accept: `${ociManifest}, ${ociIndex}` },
  { Accept: `${ociManifest}, ${ociIndex}`, 'User-Agent': docker },
  { Accept: generic },
];

/** Sends a request to the version that writes. */
type Ask = (path: string, headers: Record<string, string>) => Promise<Response>;

/** Pulls each sample as each client, and returns the digests of all content that upstream does not have. */
async function pullAll(ask: Ask): Promise<DerivedDigest[]> {
  const derived = new Map<string, DerivedDigest>();
  const visit = async (repository: string, response: Response) => {
    const bytes = new Uint8Array(await response.arrayBuffer());
    const digest = response.headers.get('docker-content-digest') ?? '';
    const mediaType = (response.headers.get('content-type') ?? '') as DerivedDigest['mediaType'];
    await add({ repository, kind: 'manifests', digest, mediaType });
    const types = typesOfChildren(bytes);
    for (const child of childrenOf(bytes)) {
      const type = types.get(child) ?? '';
      if (manifestTypes.includes(type)) {
        await visit(repository, await good(ask(`/v2/${repository}/manifests/${child}`, { Accept: type })));
      } else {
        await (await good(ask(`/v2/${repository}/blobs/${child}`, {}))).arrayBuffer();
        await add({ repository, kind: 'blobs', digest: child, mediaType: '' });
      }
    }
  };
  const add = async (found: DerivedDigest) => {
    const path = `/v2/${found.repository}/${found.kind}/${found.digest}`;
    const stored = await fetch(`${upstream}${path}`, { method: 'HEAD' });
    if (stored.status === 404) derived.set(path, found);
  };
  for (const sample of samples) {
    for (const headers of clients) {
      const response = await ask(`/v2/${sample}/manifests/latest`, headers);
      if (response.ok) await visit(sample, response);
      else await response.body?.cancel();
    }
  }
  return [...derived.values()];
}

/** Media types of the descriptors of an index or a generic manifest, by digest. */
function typesOfChildren(manifest: Uint8Array): ReadonlyMap<string, string> {
  type Descriptors = readonly { readonly digest: string; readonly mediaType: string }[];
  const document = JSON.parse(new TextDecoder().decode(manifest)) as Record<string, Descriptors | undefined>;
  const { manifests = [], dependencies = [] } = document;
  return new Map([...manifests, ...dependencies].map(({ digest, mediaType }) => [digest, mediaType]));
}

/** @throws Error with the text of a response that is not 200. */
async function good(request: Promise<Response>): Promise<Response> {
  const response = await request;
  if (response.status !== 200)
    throw new Error(`${response.status} ${response.url}: ${await response.text()}`);
  return response;
}

/** The version in front of a shared cache. */
interface Deployment {
  readonly ask: Ask;
  /** All entries of the shared cache. */
  dump(): Promise<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts the version in front of a shared cache that has these entries. */
type Deploy = (
  entries: Iterable<readonly [name: string, value: Uint8Array<ArrayBuffer>]>,
) => Promise<Deployment>;

/** On Node, in front of a Redis. */
function onNode(checkout: string): Deploy {
  return async (entries) => {
    const redis = await startRedisServer();
    await writeToRedis(redis.url, entries);
    const port = await freePort();
    const variables = { ...settings, PORT: String(port), REGSHIFT_REDIS_URL: redis.url };
    const url = `http://127.0.0.1:${port}`;
    const regshift = await startDaemon({
      program: 'env',
      args: [
        ...Object.entries(variables).map((each) => each.join('=')),
        ...[process.execPath, join(checkout, 'src/cli.ts'), 'serve'],
      ],
      directory: mkdtempSync(join(tmpdir(), 'regshift-stored-')),
      isReady: async () => (await fetch(`${url}/healthz`)).ok,
    });
    return {
      ask: (path, headers) => fetch(`${url}${path}`, { headers }),
      dump: () => dumpRedis(redis.url),
      async stop() {
        await regshift.stop();
        await redis.stop();
      },
    };
  };
}

async function dumpRedis(url: string): Promise<Record<string, string>> {
  const client = createClient({ url, RESP: 2 }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  await client.connect();
  const names = (await client.keys('regshift:1.*')).map(String).toSorted();
  const entries: Record<string, string> = {};
  for (const name of names) entries[name] = Buffer.from((await client.get(name)) ?? '').toString('base64');
  await client.close();
  return entries;
}

/** The parts of miniflare that are used; it comes with wrangler. */
interface MiniflareModule {
  readonly Miniflare: new (options: object) => Miniflare;
  convertV4MiniflareOptions(options: object): object;
}

interface Miniflare {
  readonly ready: Promise<URL>;
  getKVNamespace(binding: string): Promise<Namespace>;
  dispose(): Promise<void>;
}

interface Namespace {
  list(options: { cursor?: string }): Promise<{ keys: { name: string }[]; cursor?: string }>;
  get(name: string, type: 'arrayBuffer'): Promise<ArrayBuffer | null>;
  put(name: string, value: ArrayBuffer): Promise<void>;
}

/** On workerd, with a KV namespace. @param directory is where the bundle is put. */
async function onWorkerd(checkout: string, directory: string): Promise<Deploy> {
  const bundle = ['deploy', 'src/runtime/worker/entry.ts', '--dry-run', '--outdir', directory];
  const options = { cwd: checkout, env: quietWrangler(directory) };
  await promisify(execFile)(process.execPath, [wrangler, ...bundle], options);
  const ofWrangler = createRequire(createRequire(import.meta.url).resolve('wrangler'));
  const { Miniflare, convertV4MiniflareOptions } = ofWrangler('miniflare') as MiniflareModule;
  const configuration = readFileSync(join(checkout, 'wrangler.toml'), 'utf8');
  const worker = convertV4MiniflareOptions({
    modules: true,
    modulesRoot: directory,
    scriptPath: join(directory, 'entry.js'),
    compatibilityDate: /^compatibility_date = "([\d-]+)"/m.exec(configuration)?.[1],
    kvNamespaces: ['RECIPES'],
    bindings: settings,
    cf: false,
  });
  return async (entries) => {
    const miniflare = new Miniflare(worker);
    const url = await miniflare.ready;
    const namespace = await miniflare.getKVNamespace('RECIPES');
    for (const [name, value] of entries) await namespace.put(name, value.buffer);
    return {
      ask: (path, headers) => fetch(new URL(path, url), { headers }),
      dump: () => dumpKv(namespace),
      stop: () => miniflare.dispose(),
    };
  };
}

async function dumpKv(namespace: Namespace): Promise<Record<string, string>> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await namespace.list(cursor === undefined ? {} : { cursor });
    names.push(...page.keys.map(({ name }) => name));
    cursor = page.cursor;
  } while (cursor);
  const entries: Record<string, string> = {};
  for (const name of names.toSorted()) {
    const value = (await namespace.get(name, 'arrayBuffer')) ?? new ArrayBuffer();
    entries[name] = Buffer.from(value).toString('base64');
  }
  return entries;
}

/** Lets the version fill a shared cache, then counts what new processes of it need to serve the digests. */
async function record(deploy: Deploy, registry: SampleServer): Promise<StoredEntries> {
  const first = await deploy([]);
  const derived = await pullAll(first.ask);
  const entries = await first.dump();
  await first.stop();
  const count = async (kept: Kept): Promise<number[]> => {
    const { ask, stop } = await deploy(entriesOf({ entries }, kept));
    const counts: number[] = [];
    for (const each of derived) {
      const { path, headers } = requestFor(each);
      registry.requests.length = 0;
      await (await good(ask(path, headers))).arrayBuffer();
      counts.push(registry.requests.length);
    }
    await stop();
    return counts;
  };
  const all = await count('all');
  const without = await count('without documents');
  const digests = derived.map((each, index) => ({
    ...each,
    requests: { all: all[index] ?? 0, 'without documents': without[index] ?? 0 },
  }));
  return { version: '0.1.0 (1b732c9)', upstream, signingKey, digests, entries };
}

const [checkout] = process.argv.slice(2);
if (checkout === undefined) throw new Error('Name the folder of a checkout of 1b732c9.');
const folder = join(import.meta.dirname, '../golden/stored-by-0.1');
const bundled = mkdtempSync(join(tmpdir(), 'regshift-stored-'));
mkdirSync(folder, { recursive: true });
const registry = await startSampleServer(upstreamPort, upstreamHost);
try {
  const deployments = { redis: onNode(checkout), kv: await onWorkerd(checkout, bundled) };
  for (const [name, deploy] of Object.entries(deployments)) {
    const written = await record(deploy, registry);
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(written, null, 1)}\n`);
  }
} finally {
  await registry.stop();
  rmSync(bundled, { recursive: true, force: true });
}
