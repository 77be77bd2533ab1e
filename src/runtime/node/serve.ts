import type { Server } from 'node:http';
import { readSigningKey } from '../../../converters/crypto/signing-key.ts';
import { createApp, type Dependencies } from '../../app.ts';
import type { UpstreamLogin } from '../../auth/upstream-auth.ts';
import type { MemoryBudget } from '../../cache/memory-budget.ts';
import { systemWallClock } from '../../clock.ts';
import { compose } from '../../compose/compose.ts';
import type { ComposedRoute } from '../../compose/route.ts';
import { clientPorts } from '../../config/address.ts';
import type { Settings } from '../../config/settings.ts';
import { RegistryError } from '../../errors.ts';
import type { Health } from '../../http/health.ts';
import type { BlobStore } from '../../layers/store/blob-store.ts';
import type { Log } from '../../observability/log.ts';
import { registryProblem } from '../../upstream/check-registry.ts';
import { upstreamTimeouts, usualTimeouts } from '../../upstream/timeouts.ts';
import type { CheckedSettings } from './check-settings.ts';
import { createListener, type Listener } from './http/listener.ts';
import { close, createProxyServer, listen, serveCertificate, urlOf } from './http/server.ts';
import type { PrometheusMetrics } from './metrics/prometheus.ts';
import { createMetricsServer } from './metrics/server.ts';
import { nodeMemory, nodePlatform, signingKeyText } from './platform.ts';
import type { SharedCache } from './redis/shared-cache.ts';
import { createRotatingSettings, type SettingsFiles, type WatchedSettings } from './rotating-settings.ts';
import { shutDown } from './shutdown.ts';
import { cleanStore, openStore } from './store/open-store.ts';
import { type Certificate, logWarnings } from './tls/certificate.ts';
import { type CertificateWatch, watchCertificate } from './tls/certificate-watch.ts';
import { createHandshakeLog } from './tls/handshake-log.ts';

export interface Running {
  /** Like `http://127.0.0.1:8080`. */
  readonly url: string;
  /** One URL per port, in the order of `portsOf`. */
  readonly urls: readonly string[];
  /** The URL of the metrics port, if there is one. */
  readonly metricsUrl: string | undefined;
  /** Breaks off all responses in transit, for a process that ends at once. */
  cut(): void;
  /** Stops at once and cuts open requests. */
  close(): Promise<void>;
  /**
   * Stops as a service should: requests in flight end first, within the times of the settings.
   * @param atOnce true if a person waits, so that there is no grace time.
   */
  shutDown(atOnce: boolean): Promise<void>;
  /** Reads the certificate and the files of the settings again if they were renewed. */
  reload(): Promise<void>;
  /** Asks each registry once, and logs a warning for one that does not answer as a registry. */
  checkUpstreams(): Promise<void>;
}

/**
 * Starts the proxy on Node.
 * @param checked of `checkSettings`, which has looked at the folder of the store and read the certificate.
 * @param files the files of the settings, which are read again when they change.
 * @throws the system's error if an address is not available; ConversionError for an unreadable signing key.
 */
export async function serve(
  { settings, certificate, storeOperations }: Checked,
  log: Log,
  files?: SettingsFiles,
): Promise<Running> {
  if (certificate) logWarnings(certificate, log, systemWallClock());
  const memory = nodeMemory(settings);
  const shared = await openShared(settings, log, memory);
  try {
    const metrics = await openMetrics(settings);
    const rotating =
      files && files.paths().length > 0 ? createRotatingSettings({ files, settings, log }) : undefined;
    const { dependencies, listener, store } = await prepare({
      settings,
      log,
      memory,
      shared,
      metrics,
      rotating,
      storeOperations,
    });
    const { health, inFlight } = dependencies;
    metrics?.watch(inFlight, memory, health);
    if (certificate) metrics?.certificate(certificate.notAfter);
    const ofServers = { certificate, log, standstillMs: longestStandstill(settings) };
    let served = certificate;
    const watchHandshakes = createHandshakeLog(log, () => served);
    const servers = await listenAtAll(settings, () =>
      createProxyServer({ ...listener, ...ofServers, watchHandshakes }),
    );
    const onNew = (renewed: Certificate) => {
      served = renewed;
      for (const server of servers) serveCertificate(server, renewed);
      metrics?.certificate(renewed.notAfter);
    };
    const watch = certificate && watchCertificate({ settings, current: certificate, log, onNew });
    const counted = metrics && (await listenForMetrics(settings, metrics, health, servers));
    const { routes } = dependencies;
    const parts = { servers, counted, listener, settings, log, shared, store };
    return running({ ...parts, watch, rotating, health, routes });
  } catch (error) {
    await shared?.close();
    throw error;
  }
}

/** The results of `checkSettings` that a start needs. */
type Checked = Pick<
  Extract<CheckedSettings, { settings: Settings }>,
  'settings' | 'certificate' | 'storeOperations'
>;

interface Parts extends Pick<Dependencies, 'health'> {
  readonly routes: readonly ComposedRoute[];
  readonly servers: readonly Server[];
  /** The metrics server, which stays to the end. */
  readonly counted: Server | undefined;
  readonly listener: Listener;
  readonly settings: Settings;
  readonly log: Log;
  readonly shared: SharedCache | undefined;
  readonly store: BlobStore | undefined;
  readonly watch: CertificateWatch | undefined;
  readonly rotating: WatchedSettings | undefined;
}

function running({
  servers,
  counted,
  listener,
  settings,
  log,
  shared,
  store,
  watch,
  rotating,
  health,
  routes,
}: Parts): Running {
  const urls = servers.map(urlOf);
  const endOthers = async () => {
    watch?.stop();
    await store?.end?.();
    if (counted) await close(counted);
    await shared?.close();
  };
  return {
    url: urls[0] ?? '',
    urls,
    metricsUrl: counted && urlOf(counted),
    async reload() {
      watch?.look();
      await rotating?.look();
    },
    checkUpstreams: () => warnOfUpstreams(routes, log),
    cut: () => void listener.cut(),
    async close() {
      listener.cut();
      await Promise.all(servers.map(close));
      await endOthers();
    },
    async shutDown(atOnce) {
      health.stop();
      const graceMs = atOnce ? 0 : settings.REGSHIFT_SHUTDOWN_GRACE * 1000;
      const deadlineMs = settings.REGSHIFT_SHUTDOWN_DEADLINE * 1000;
      await shutDown({ servers, listener, log, graceMs, deadlineMs });
      await endOthers();
    },
  };
}

async function warnOfUpstreams(routes: readonly ComposedRoute[], log: Log): Promise<void> {
  const asked = routes.flatMap(({ id, upstreams }) =>
    upstreams.map(async ({ client, login }) => {
      const reason = await registryProblem(client, login === 'passthrough' ? { kind: 'none' } : login);
      if (reason === undefined) return;
      log('warn', 'the registry cannot be used', { route: id, registry: client.id, reason });
    }),
  );
  await Promise.all(asked);
}

function longestStandstill({ routes }: Settings): number {
  const all = routes.map((route) => upstreamTimeouts(route.settings.REGSHIFT_UPSTREAM_TIMEOUT).standstillMs);
  return Math.max(usualTimeouts.standstillMs, ...all);
}

async function listenAtAll(settings: Settings, create: () => Server): Promise<readonly Server[]> {
  const servers: Server[] = [];
  try {
    for (const port of portsOf(settings)) servers.push(await listen(create(), settings.HOST, port));
    return servers;
  } catch (error) {
    await Promise.all(servers.map(close));
    throw error;
  }
}

/** The ports for clients, as of `clientPorts`. */
export function portsOf({ PORT, routes }: Settings): readonly number[] {
  return clientPorts(
    PORT,
    routes.map(({ match }) => match.ports),
  );
}

interface PreparedFrom
  extends Pick<Parts, 'settings' | 'log' | 'shared' | 'rotating'>,
    Pick<Checked, 'storeOperations'> {
  readonly memory: MemoryBudget;
  readonly metrics: PrometheusMetrics | undefined;
}

async function prepare({ settings, log, memory, shared, metrics, rotating, storeOperations }: PreparedFrom) {
  const counting = metrics ? { metrics: metrics.metrics, numbers: metrics.numbers } : {};
  const tiers = shared ? [shared.tier] : [];
  const platform = {
    ...nodePlatform(log, memory),
    ...counting,
    tiers,
    fleetWrites: shared?.writes,
    rotating,
  };
  const store = await openStore(settings, platform, storeOperations);
  if (store) cleanStore(store, log);
  const dependencies = compose(settings, { ...platform, store });
  // An unreadable key, or a missing helper program, should fail the start and not the first pull.
  await dependencies.signingKey();
  await Promise.all(dependencies.routes.map(({ login }) => tryLogin(login, log)));
  return { dependencies, listener: createListener(createApp(dependencies), log), store };
}

/** prom-client takes some sixty milliseconds to load, so it is loaded only where its numbers are shown. */
async function openMetrics({
  REGSHIFT_METRICS_PORT: port,
  REGSHIFT_PAGE: page,
}: Settings): Promise<PrometheusMetrics | undefined> {
  const isShown = port !== undefined || page === 'status';
  return isShown ? (await import('./metrics/prometheus.ts')).createPrometheusMetrics() : undefined;
}

/** If the metrics port is not available, the other ports are closed. */
async function listenForMetrics(
  { HOST, REGSHIFT_METRICS_PORT: port, REGSHIFT_PAGE: page }: Settings,
  metrics: PrometheusMetrics,
  health: Health,
  servers: readonly Server[],
): Promise<Server | undefined> {
  if (port === undefined) return undefined;
  try {
    return await listen(createMetricsServer(metrics, health, page !== 'off'), HOST, port);
  } catch (error) {
    await Promise.all(servers.map(close));
    throw error;
  }
}

/** The client of Redis takes a tenth of a second to load, so it is loaded only with REGSHIFT_REDIS_URL. */
async function openShared(
  settings: Settings,
  log: Log,
  memory: MemoryBudget,
): Promise<SharedCache | undefined> {
  const { REGSHIFT_REDIS_URL: address, REGSHIFT_SIGNING_KEY: key } = settings;
  if (address === undefined || key === undefined) return undefined;
  const { openSharedCache } = await import('./redis/shared-cache.ts');
  return openSharedCache(address, settings, await readSigningKey(await signingKeyText(key)), log, memory);
}

/** A cloud that refuses a login now may give it in a minute; a program that is not installed stays missing. */
async function tryLogin(login: UpstreamLogin, log: Log): Promise<void> {
  if (login === 'passthrough' || login.kind !== 'kept') return;
  try {
    await login.helper.current();
  } catch (error) {
    if (!(error instanceof RegistryError) || error.detail?.reason === 'NO_PROGRAM') throw error;
    log('warn', error.message, { consequence: 'it is asked for again with the next request' });
  }
}
