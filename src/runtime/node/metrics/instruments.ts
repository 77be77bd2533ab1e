import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Makes the metrics of regshift: each name has `regshift_` before it. */
export type Instruments = ReturnType<typeof createInstruments>;

/** Seconds of work that ends within half a minute. */
const workBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** @param registry gets the metrics. */
export function createInstruments(registry: Registry) {
  const options = <Label extends string>(name: string, help: string, labelNames: Label[]) => ({
    name: `regshift_${name}`,
    help,
    labelNames,
    registers: [registry],
  });
  return {
    counter: <Label extends string>(name: string, help: string, ...labels: Label[]) =>
      new Counter(options(name, help, labels)),
    gauge: <Label extends string>(name: string, help: string, ...labels: Label[]) =>
      new Gauge(options(name, help, labels)),
    /** A gauge that is read at each scrape. */
    watched: <Label extends string>(
      name: string,
      help: string,
      read: (gauge: Gauge<Label>) => void,
      ...labels: Label[]
    ) =>
      new Gauge({
        ...options(name, help, labels),
        collect() {
          read(this);
        },
      }),
    histogram: <Label extends string>(name: string, help: string, label: Label, buckets = workBuckets) =>
      new Histogram({ ...options(name, help, [label]), buckets }),
  };
}
