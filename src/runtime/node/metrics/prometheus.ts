import { collectDefaultMetrics, type Gauge, Registry } from 'prom-client';
import type { MemoryBudget, TableUsage } from '../../../cache/memory-budget.ts';
import { systemClock } from '../../../clock.ts';
import type { Health } from '../../../http/health.ts';
import type { InFlight } from '../../../http/in-flight.ts';
import type { StatusNumbers } from '../../../http/page/status-page.ts';
import type { Figure } from '../../../observability/figures.ts';
import type { Metrics } from '../../../observability/metrics.ts';
import { version } from '../../../version.ts';
import { clientMetrics } from './client-metrics.ts';
import { createInstruments, type Instruments } from './instruments.ts';
import { registryMetrics } from './registry-metrics.ts';
import { workMetrics } from './work-metrics.ts';

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

/** Creates the counters for Prometheus. Every label has a few known values, or is the id of a route. */
export function createPrometheusMetrics(clock = systemClock): PrometheusMetrics {
  const registry = new Registry();
  const instruments = createInstruments(registry);
  const { gauge, watched } = instruments;
  collectDefaultMetrics({ register: registry });
  const help = 'The versions of regshift and of Node that run; always 1.';
  gauge('build_info', help, 'version', 'node').set({ version, node: process.versions.node }, 1);
  let expiry: Gauge | undefined;
  return {
    metrics: {
      ...clientMetrics(instruments),
      ...workMetrics(instruments),
      ...registryMetrics(instruments, clock),
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
    async numbers() {
      const { numbersHtml } = await import('../../../http/page/numbers-view.ts');
      return numbersHtml((await registry.getMetricsAsJSON()).flatMap(figuresOf));
    },
    watch(inFlight, memory, health) {
      watchTables(memory, instruments);
      watchCaches(health, instruments);
      watched('requests_under_way', 'Requests without a response yet.', (each) =>
        each.set(inFlight.requests),
      );
      watched('streams_under_way', 'Responses that are being sent.', (each) => each.set(inFlight.streams));
    },
    certificate(notAfter) {
      expiry ??= gauge(
        'certificate_expiry_timestamp_seconds',
        'Time at which the served certificate expires, in seconds since 1970.',
      );
      expiry.set(notAfter / 1000);
    },
  };
}

interface PrometheusMetric {
  readonly name: string;
  readonly values: readonly { readonly value: number; readonly labels: object }[];
}

/** The figures of a histogram have its own name, and not those of its buckets. */
function figuresOf({ name, values }: PrometheusMetric): Figure[] {
  return values.map(({ value, labels }) => ({ name, value, labels: labels as Figure['labels'] }));
}

function watchTables(memory: MemoryBudget, { watched }: Instruments): void {
  const watch = (name: string, help: string, value: (usage: TableUsage) => number) =>
    watched(
      name,
      help,
      (gauge) => {
        for (const each of memory.usage()) gauge.set({ table: each.table }, value(each));
      },
      'table',
    );
  watch('memory_table_bytes', 'Bytes of memory that a table takes.', ({ bytes }) => bytes);
  watch('memory_table_limit_bytes', 'Bytes of memory that a table may take.', ({ limit }) => limit);
}

function watchCaches(health: Pick<Health, 'caches'>, { watched }: Instruments): void {
  watched(
    'cache_up',
    'Whether Redis, or the store for layers, answers: 1, or 0 while it is away.',
    (gauge) => {
      for (const [cache, state] of Object.entries(health.caches()))
        gauge.set({ cache }, Number(state === 'here'));
    },
    'cache',
  );
}
