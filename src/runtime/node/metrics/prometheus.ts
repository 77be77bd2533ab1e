import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { MemoryBudget, TableUsage } from '../../../cache/memory-budget.ts';
import { type Clock, systemClock } from '../../../clock.ts';
import type { Health } from '../../../http/health.ts';
import type { InFlight } from '../../../http/in-flight.ts';
import type { StatusNumbers } from '../../../http/page/status-page.ts';
import type { Figure } from '../../../observability/figures.ts';
import type { Metrics, ResponseFacts, WarmResult } from '../../../observability/metrics.ts';
import { version } from '../../../version.ts';

export interface PrometheusMetrics {
  readonly metrics: Metrics;
  readonly contentType: string;
  /** The metrics of the process for Prometheus. */
  text(): Promise<string>;
  /** The numbers of `text` as a part of the page, whose code loads at its first use. */
  readonly numbers: StatusNumbers;
  /** Registers gauges that are read at each scrape. */
  watch(inFlight: InFlight, memory: MemoryBudget, health: Pick<Health, 'caches'>): void;
  /** @param notAfter the end of the served certificate, in milliseconds since the epoch. */
  certificate(notAfter: number): void;
}

const answerBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const upstreamBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const forms = new Set(['schema1', 'schema2', 'list', 'oci', 'oci-index', 'generic', 'v1']);

/** Creates the counters for Prometheus. Every label has a few known values, or is the id of a route. */
export function createPrometheusMetrics(clock = systemClock): PrometheusMetrics {
  const registry = new Registry();
  const shared = { registers: [registry] };
  collectDefaultMetrics({ register: registry });
  const help = 'The versions of regshift and of Node that run; always 1.';
  new Gauge({ name: 'regshift_build_info', help, labelNames: ['version', 'node'], ...shared }).set(
    { version, node: process.versions.node },
    1,
  );
  return {
    metrics: {
      ...answersIn(shared),
      ...workIn(shared),
      ...pullsIn(shared, clock),
      ...storeIn(shared),
      ...eventsIn(shared),
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
    async numbers() {
      const { numbersHtml } = await import('../../../http/page/numbers-view.ts');
      return numbersHtml((await registry.getMetricsAsJSON()).flatMap(figuresOf));
    },
    watch(inFlight, memory, health) {
      watchTables(memory, shared);
      watchCaches(health, shared);
      const gauge = (name: string, about: string, value: () => number) =>
        new Gauge({
          name,
          help: about,
          ...shared,
          collect() {
            this.set(value());
          },
        });
      gauge('regshift_requests_under_way', 'Requests without a response yet.', () => inFlight.requests);
      gauge('regshift_streams_under_way', 'Responses that are being sent.', () => inFlight.streams);
    },
    certificate(notAfter) {
      const name = 'regshift_certificate_expiry_timestamp_seconds';
      const known = registry.getSingleMetric(name) as Gauge | undefined;
      const gauge =
        known ??
        new Gauge({
          name,
          help: 'Time at which the served certificate expires, in seconds since 1970.',
          ...shared,
        });
      gauge.set(notAfter / 1000);
    },
  };
}

interface PrometheusMetric {
  readonly name: string;
  readonly values: readonly { readonly value: number; readonly labels: object }[];
}

/** Histograms have several names, which people need not see. */
function figuresOf({ name, values }: PrometheusMetric): Figure[] {
  return values.map(({ value, labels }) => ({ name, value, labels: labels as Figure['labels'] }));
}

interface Shared {
  readonly registers: Registry[];
}

function watchTables(memory: MemoryBudget, shared: Shared): void {
  const gauge = (name: string, help: string, value: (usage: TableUsage) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['table'],
      ...shared,
      collect() {
        for (const each of memory.usage()) this.set({ table: each.table }, value(each));
      },
    });
  gauge('regshift_memory_table_bytes', 'Bytes of memory that a table takes.', ({ bytes }) => bytes);
  gauge('regshift_memory_table_limit_bytes', 'Bytes of memory that a table may take.', ({ limit }) => limit);
}

function watchCaches(health: Pick<Health, 'caches'>, shared: Shared): void {
  new Gauge({
    name: 'regshift_cache_up',
    help: 'Whether Redis, or the store for layers, answers: 1, or 0 while it is away.',
    labelNames: ['cache'],
    ...shared,
    collect() {
      for (const [cache, state] of Object.entries(health.caches()))
        this.set({ cache }, Number(state === 'here'));
    },
  });
}

function answersIn(shared: Shared): Pick<Metrics, 'responseSent'> {
  const requests = new Counter({
    name: 'regshift_requests_total',
    help: 'Requests of clients, by route, by resource and by status of the response.',
    labelNames: ['route', 'resource', 'code'],
    ...shared,
  });
  const seconds = new Histogram({
    name: 'regshift_request_duration_seconds',
    help: 'Seconds from a request to the last byte of its response.',
    labelNames: ['resource'],
    buckets: answerBuckets,
    ...shared,
  });
  const bytes = new Counter({
    name: 'regshift_sent_bytes_total',
    help: 'Bytes of responses, headers included.',
    labelNames: ['resource'],
    ...shared,
  });
  const clients = new Counter({
    name: 'regshift_client_manifests_total',
    help: 'Manifests sent, by group of clients, as stored or converted.',
    labelNames: ['client', 'form'],
    ...shared,
  });
  const stale = new Counter({
    name: 'regshift_stale_responses_total',
    help: 'Responses in which an older answer of the registry stands in.',
    labelNames: ['route'],
    ...shared,
  });
  // Looking up a counter by its labels costs more than counting.
  const known = new Map<string, (response: ResponseFacts) => void>();
  const counting = ({ route, resource, status, stale: isStale, manifestFor }: ResponseFacts) => {
    const request = requests.labels(route, resource, String(status));
    const second = seconds.labels(resource);
    const byte = bytes.labels(resource);
    const staleOfRoute = stale.labels(route);
    staleOfRoute.inc(0);
    const ofClient = manifestFor && clients.labels(manifestFor.client, manifestFor.form);
    return (response: ResponseFacts) => {
      request.inc();
      if (isStale) staleOfRoute.inc();
      ofClient?.inc();
      second.observe(response.seconds);
      if (response.bytes !== undefined) byte.inc(response.bytes);
    };
  };
  return {
    responseSent(response) {
      const { route, resource, status, stale: isStale, manifestFor: to } = response;
      const key = `${route} ${resource} ${status} ${isStale} ${to?.client} ${to?.form}`;
      const count = known.get(key) ?? counting(response);
      known.set(key, count);
      count(response);
    },
  };
}

type StoreMetrics = Pick<Metrics, 'storeRead' | 'storeWrite' | 'storeEvicted' | 'storeSize' | 'storeHung'>;

type PullMetrics = Pick<Metrics, 'pullsRemaining'>;

type EventMetrics = Pick<Metrics, 'registryEvent' | 'warmed' | 'warmQueue'>;

function workIn(
  shared: Shared,
): Omit<Metrics, 'responseSent' | keyof PullMetrics | keyof StoreMetrics | keyof EventMetrics> {
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `regshift_${name}`, help, labelNames, ...shared });
  const histogram = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Histogram({ name: `regshift_${name}`, help, labelNames, buckets: upstreamBuckets, ...shared });
  const caches = counter('cache_requests_total', 'Lookups in caches, by result.', 'tier', 'result');
  const upstream = counter(
    'upstream_requests_total',
    'Requests to registries, their token servers and their storage, by class of the status.',
    'route',
    'code',
  );
  const upstreamSeconds = histogram(
    'upstream_duration_seconds',
    'Seconds from a request to a registry to the headers of its response.',
    'route',
  );
  const tokens = counter(
    'tokens_total',
    'Requests for tokens to token servers, by result.',
    'route',
    'result',
  );
  const accounts = counter(
    'upstream_account_refusals_total',
    "Requests that failed because a registry refuses the proxy's own account.",
    'route',
  );
  const conversions = counter(
    'conversions_total',
    'Conversions of manifests, by both forms and by result.',
    'from',
    'to',
    'result',
  );
  const conversionSeconds = histogram(
    'conversion_duration_seconds',
    'Seconds to convert a manifest, with its fetches.',
    'to',
  );
  const layers = new Gauge({
    name: 'regshift_layers_reading',
    help: 'Layers that regshift reads at this moment.',
    ...shared,
  });
  return {
    cacheLookup: (tier, hit) => caches.inc({ tier, result: hit ? 'hit' : 'miss' }),
    upstreamResponse(route, status, seconds) {
      upstream.inc({ route, code: classOf(status) });
      upstreamSeconds.observe({ route }, seconds);
    },
    tokenRequest: (route, granted) => tokens.inc({ route, result: granted ? 'granted' : 'refused' }),
    accountRefused: (route, requests) => accounts.inc({ route }, requests),
    conversion({ from, to, result, seconds }) {
      conversions.inc({ from: forms.has(from) ? from : 'other', to, result });
      if (result !== 'remembered') conversionSeconds.observe({ to }, seconds);
    },
    layerReads: (change) => layers.inc(change),
  };
}

/** A number of pulls says nothing once the registry no longer counts those before it: the series then ends. */
function pullsIn(shared: Shared, clock: Clock): PullMetrics {
  const ends = new Map<string, number>();
  const pulls = new Gauge({
    name: 'regshift_upstream_pulls_left',
    help: 'Pulls that the registry still allows, as it last said (ratelimit-remaining).',
    labelNames: ['route'],
    ...shared,
    collect() {
      for (const [route, end] of ends) if (clock() >= end) this.remove({ route });
    },
  });
  return {
    pullsRemaining(route, left, windowSeconds) {
      pulls.set({ route }, left);
      ends.set(route, clock() + windowSeconds * 1000);
    },
  };
}

/** Without a store all of these stay at 0, so that one dashboard fits all. */
function storeIn(shared: Shared): StoreMetrics {
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `regshift_store_${name}`, help, labelNames, ...shared });
  const reads = counter('reads_total', 'Lookups of layers in the store, by result.', 'result');
  const writes = counter('writes_total', 'Layers that were written to the store, by result.', 'result');
  const written = counter('written_bytes_total', 'Bytes of layers that were stored.');
  writes.inc({ result: 'error' }, 0);
  const evicted = counter('evicted_total', 'Layers that were removed to make room.');
  const evictedBytes = counter('evicted_bytes_total', 'Bytes of layers that were removed to make room.');
  const size = new Gauge({
    name: 'regshift_store_bytes',
    help: 'Bytes of layers in the store, where it is a folder.',
    ...shared,
  });
  const hung = new Gauge({
    name: 'regshift_store_hung_operations',
    help: 'File operations of the store that do not end, and hold a thread.',
    ...shared,
  });
  return {
    storeRead: (result) => reads.inc({ result }),
    storeWrite(result, bytes) {
      writes.inc({ result });
      written.inc(bytes);
    },
    storeEvicted(blobs, bytes) {
      evicted.inc(blobs);
      evictedBytes.inc(bytes);
    },
    storeSize: (bytes) => size.set(bytes),
    storeHung: (operations) => hung.set(operations),
  };
}

function eventsIn(shared: Shared): EventMetrics {
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `regshift_${name}`, help, labelNames, ...shared });
  const events = counter(
    'events_total',
    'Events that registries sent, by registry and kind.',
    'source',
    'result',
  );
  const warmed = counter(
    'warmed_total',
    'Images made ahead of their first pull for a group of clients, by result.',
    'result',
  );
  // An increase from no series is none for Prometheus.
  for (const result of ['dropped', 'refused'] satisfies WarmResult[]) warmed.inc({ result }, 0);
  const queue = new Gauge({
    name: 'regshift_warm_queue',
    help: 'Images that wait to be made ahead.',
    ...shared,
  });
  return {
    registryEvent: (source, result) => events.inc({ source, result }),
    warmed: (result) => warmed.inc({ result }),
    warmQueue: (length) => queue.set(length),
  };
}

/** Rate limits are counted apart from other refusals, since they end by waiting. */
function classOf(status: number | undefined): string {
  if (status === undefined) return 'none';
  return status === 429 ? '429' : `${Math.floor(status / 100)}xx`;
}
