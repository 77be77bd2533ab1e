import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificateAuthority, makeAuthority } from '../support/certificate-authority.ts';
import { lifetimes } from '../support/isolation/proxies.ts';
import type { World } from '../support/isolation/world.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { inspectable, inspectProcess, type ProcessInspector } from '../support/process-inspector.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { startTlsRelay, type TlsRelay } from './tls-relay.ts';

/** One of the two replicas. */
export interface SoakReplica {
  readonly name: 'plain' | 'tls';
  /** The port of the process, and the one for clients: that of the relay in front of TLS. */
  readonly port: number;
  readonly clientPort: number;
  readonly pid: number;
  readonly inspector: ProcessInspector;
}

/** Two replicas that share a Redis and a store for layers. The second one has TLS. */
export interface SoakFleet {
  readonly replicas: readonly SoakReplica[];
  readonly ports: readonly number[];
  readonly relay: TlsRelay;
  readonly authority: CertificateAuthority;
  /** The Redis that runs now. */
  redis: RedisServer;
  /** Writes a certificate and its key to the files of the settings, one after the other. */
  installCertificate(name: string): { readonly cert: string };
  stop(): Promise<void>;
}

export interface SoakUpstreams {
  readonly world: World;
  /** The addresses of the registries behind `mixed.test` and the paths for pushes. */
  readonly mixed: string;
  readonly pushes: Readonly<Record<string, string>>;
}

export const mixedHost = 'mixed.test';
export const eventsSecret = 'the-secret-of-a-soak';

/** Settings of a small proxy: its tables are full, and its store removes layers, after a short while. */
const small = {
  REGSHIFT_CACHE_BYTES: '6000000',
  REGSHIFT_STORE_BLOBS: 'all',
  REGSHIFT_STORE_BYTES: '3000000',
  REGSHIFT_TAG_TTL: String(lifetimes.ttl),
  REGSHIFT_STALE: String(lifetimes.stale),
  REGSHIFT_MEASURE_DEADLINE: '5',
  REGSHIFT_UPSTREAM_TIMEOUT: '10',
  REGSHIFT_EVENTS_SECRET: eventsSecret,
  LOG_LEVEL: 'info',
} as const;

function routesOf({ world, mixed, pushes }: SoakUpstreams): object[] {
  return [
    ...world.upstreams.map(({ host, registry }) => ({ match: { host }, upstream: registry.url })),
    { match: { host: mixedHost }, upstream: mixed },
    ...Object.entries(pushes).map(([path, upstream]) => ({
      match: { path: `${path}/` },
      upstream,
      upstreamAuth: 'anonymous',
      push: 'allow',
    })),
  ];
}

/** @param onOutput gets all output of both replicas. */
export async function startSoakFleet(
  upstreams: SoakUpstreams,
  onOutput: (text: string) => void,
): Promise<SoakFleet> {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-soak-'));
  mkdirSync(join(folder, 'store'));
  const authority = makeAuthority(folder, 'soak');
  const files = { cert: join(folder, 'served.pem'), key: join(folder, 'served.key') };
  const installCertificate = (name: string) => {
    const issued = authority.issue(name, 'IP:127.0.0.1');
    copyFileSync(issued.files.key, files.key);
    copyFileSync(issued.files.cert, files.cert);
    return issued;
  };
  installCertificate('certificate-0');
  const redis = await startRedisServer();
  const common = {
    ...small,
    REGSHIFT_CONFIG: JSON.stringify({ routes: routesOf(upstreams) }),
    REGSHIFT_STORE: `file://${join(folder, 'store')}`,
    REGSHIFT_REDIS_URL: redis.url,
    ...inspectable,
  };
  const start = async (more: Record<string, string>) => {
    let first = '';
    const process = await startNodeProcess({ ...common, ...more }, 25, (text) => {
      if (first.length < 10_000) first += text;
      onOutput(text);
    });
    return { ...process, inspector: await inspectProcess(first) };
  };
  const plain = await start({});
  const tls = await start({ REGSHIFT_TLS_CERT: files.cert, REGSHIFT_TLS_KEY: files.key });
  const relay = await startTlsRelay(tls.port, authority.cert);
  const fleet: SoakFleet = {
    replicas: [
      { ...plain, name: 'plain', clientPort: plain.port },
      { ...tls, name: 'tls', clientPort: relay.port },
    ],
    ports: [plain.port, relay.port],
    ...{ relay, authority, redis, installCertificate },
    async stop() {
      for (const { inspector, stop } of [plain, tls]) {
        inspector.close();
        await stop();
      }
      await relay.stop();
      await fleet.redis.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return fleet;
}
