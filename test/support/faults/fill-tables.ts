/**
 * A program that fills every table of a memory budget, through the whole app where requests do so, and prints the memory
 * that it then takes. It runs with `--expose-gc`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import {
  createMemoryBudget,
  type MemoryBudget,
  type MemoryTable,
  type TableUsage,
} from '../../../src/cache/memory-budget.ts';
import type { TableName } from '../../../src/cache/table-shares.ts';
import { defaultDecompressionLimits } from '../../../src/layers/decompression-limits.ts';
import { createLayerInspector, createLayerLeases } from '../../../src/layers/inspector.ts';
import { createLayerStores } from '../../../src/layers/store/layer-store.ts';
import { createTails } from '../../../src/layers/tails.ts';
import { noMetrics } from '../../../src/observability/metrics.ts';
import { createNodeLayerCodec } from '../../../src/runtime/node/layers/codec.ts';
import { createRedisCache } from '../../../src/runtime/node/redis/cache.ts';
import { testApp } from '../app.ts';
import { layerRequest } from '../layer-request.ts';
import { createMemoryBlobStore } from '../memory-blob-store.ts';

/** A full table. */
export interface FilledTable extends TableUsage {
  /** Bytes of the heap, with buffers, that became free when the table was cleared. */
  readonly freed: number;
}

/** The output of the program. */
export interface FilledTables {
  readonly tables: readonly FilledTable[];
  /** Bytes by which the heap with its buffers has grown, after garbage collection. */
  readonly heap: number;
  /** Bytes by which the resident memory has grown. */
  readonly resident: number;
}

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** The image of a repository, which depends on its name alone: the upstream has no memory. */
function imageOf(repository: string) {
  const rootfs = { type: 'layers', diff_ids: [digestOf(encode(repository))] };
  const history = [{ created_by: `RUN ${'make '.repeat(200)}` }];
  const config = encode({ architecture: 'amd64', os: 'linux', config: {}, rootfs, history });
  const mediaType = mediaTypes.ociManifest;
  const layer = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf(encode([repository])), size: 1000 };
  const named = { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length };
  return { config, manifest: encode({ schemaVersion: 2, mediaType, config: named, layers: [layer] }) };
}

/** Tags like those of builds. */
const manyTags = Array.from({ length: 500 }, (_, index) => `build-${'0123456789abcdef'.repeat(4)}-${index}`);

/** A registry with token logins, in which every repository exists. */
async function upstream(url: string, { headers }: RequestInit): Promise<Response> {
  const { pathname } = new URL(url);
  const authorization = new Headers(headers).get('authorization') ?? '';
  if (pathname === '/token') {
    const token = `${authorization.slice(6).replaceAll('=', '')}${'t'.repeat(1500)}`;
    return Response.json({ token, expires_in: 3600 });
  }
  if (!authorization.startsWith('Bearer ')) {
    const challenge = 'Bearer realm="http://registry.test/token",service="registry.test"';
    return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } });
  }
  const [, repository = '', kind, reference = ''] =
    /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.+)$/.exec(pathname) ?? [];
  if (kind === 'tags') {
    const tags = repository.startsWith('lists/') ? manyTags.map((tag) => `${tag}-${repository.length}`) : [];
    return Response.json({ name: repository, tags: tags.map((tag) => `${tag}${repository.slice(6)}`) });
  }
  const { config, manifest } = imageOf(repository);
  const body = kind === 'manifests' ? manifest : config;
  const digest = digestOf(body);
  if (reference.includes(':') && reference !== digest) return new Response('{}', { status: 404 });
  const type = kind === 'manifests' ? mediaTypes.ociManifest : mediaTypes.octetStream;
  return new Response(body, { headers: { 'content-type': type, 'docker-content-digest': digest } });
}

const docker113 = { 'user-agent': 'docker/1.13.1', accept: mediaTypes.schema2 };
const docker17 = {
  'user-agent': 'docker/1.7.1 go/go1.4.2 git-commit/786b29d kernel/4.9.0 os/linux arch/amd64',
};
const login = (number: number) => ({ authorization: `Basic ${btoa(`user-${number}:secret`)}` });
const pad = 'x'.repeat(1_000);

function fillOf(memory: MemoryBudget): (number: number) => Promise<void> {
  const variables = { REGSHIFT_TAG_TTL: '86400', REGSHIFT_V1_TAGS: '1', REGSHIFT_WALK_TAGS: '1' };
  const app = testApp(variables, upstream, { memory, log: () => {} });
  const layers = createLayerInspector({
    registry: 'https://registry.example',
    codec: createNodeLayerCodec(),
    limits: defaultDecompressionLimits,
    cache: { get: async () => undefined, set: async () => {} },
    memory,
    leases: createLayerLeases(4, Date.now),
    clock: Date.now,
    background: () => undefined,
  });
  const tails = createTails(memory);
  const stored = createLayerStores({
    store: { ...createMemoryBlobStore(), readsBack: true },
    codec: createNodeLayerCodec(),
    clock: Date.now,
    memory,
    background: () => undefined,
    log: () => {},
    metrics: noMetrics,
  }).of('https://registry.example');
  const authenticator = { keyFor: (key: string) => key, seal: () => Buffer.alloc(8), open: () => undefined };
  const connection = { run: async () => undefined, isDown: () => false, close: async () => {} };
  const redis = createRedisCache({ ...connection, run: async () => 'OK' as never }, authenticator, memory);

  async function readLayer(number: number): Promise<void> {
    const bytes = gzipSync(`layer ${number}`);
    const stream = () =>
      new ReadableStream({
        start(to) {
          to.enqueue(new Uint8Array(bytes));
          to.close();
        },
      });
    await layers.facts(
      digestOf(new Uint8Array(bytes)),
      layerRequest(async () => ({ stream: stream(), size: bytes.length })),
    );
  }

  async function verifyStored(number: number): Promise<void> {
    const bytes = encode(`stored ${number}`);
    const stream = new Blob([bytes]).stream();
    await new Response(stored.verify(stream, { digest: digestOf(bytes), size: bytes.length })).arrayBuffer();
  }

  return async (number) => {
    const repository = `team/application-${number}`;
    const tag = `a-tag-with-a-long-name-${number}`;
    const headers = { ...docker113, ...login(number) };
    const first = await app.get(`/v2/${repository}/manifests/${tag}?${pad}`, headers);
    if (first.status !== 200) throw new Error(first.text());
    await app.send('GET', `/v2/${repository}/manifests/${digestOf(encode(number))}`, headers, {
      clientAddress: `198.51.100.${number % 250}`,
    });
    await app.get(`/v1/repositories/${repository}/tags/${tag}`, { ...docker17, ...login(number) });
    if (number % 20 === 0) {
      await app.get(`/v1/repositories/lists/${number}/tags`, { ...docker17, ...login(number) });
    }
    await readLayer(number);
    await verifyStored(number);
    await tails.get(`tail ${number}`, async () => new Uint8Array(5_000), undefined);
    await redis.set(`recipe ${repository}`, { facts: {}, body: new Uint8Array() });
  };
}

/**
 * Collects garbage, and compacts the heap as V8 does before it gives up: how many gaps a usual collection leaves depends
 * on the pace of the machine.
 */
function collected() {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

type Tables = Map<TableName, MemoryTable<object>[]>;

/** A budget that records its tables. */
function recording(memory: MemoryBudget, tables: Tables): MemoryBudget {
  return {
    ...memory,
    table(name, measure, removed) {
      const table = memory.table(name, measure, removed);
      tables.set(name, [...(tables.get(name) ?? []), table as unknown as MemoryTable<object>]);
      return table;
    },
  };
}

async function fill(bytes: number, times: number, tables: Tables = new Map()): Promise<MemoryBudget> {
  const memory = recording(createMemoryBudget(bytes), tables);
  const step = fillOf(memory);
  for (let number = 0; number < times; number += 1) await step(number);
  return memory;
}

/** The memory once the system has taken back what the heap no longer uses, which it does after a while. */
async function settled() {
  const { heap, rss } = collected();
  let least = rss;
  for (let times = 0; times < 40; times += 1) {
    await sleep(100);
    least = Math.min(least, process.memoryUsage.rss());
  }
  return { heap, rss: least };
}

const [budget = 0, times = 0] = process.argv.slice(2).map(Number);
// The first round compiles the program, and grows what does not depend on the tables.
await fill(1_000_000, Math.ceil(times / 4));
const before = await settled();
const tables: Tables = new Map();
const memory = await fill(budget, times, tables);
const after = await settled();
const usage = memory.usage();
let { heap } = after;
const freed = usage.map((each): FilledTable => {
  for (const table of tables.get(each.table) ?? []) table.clear();
  const now = collected().heap;
  const own = heap - now;
  heap = now;
  return { ...each, freed: own };
});
const found: FilledTables = {
  tables: freed,
  heap: after.heap - before.heap,
  resident: after.rss - before.rss,
};
process.stdout.write(JSON.stringify(found));
