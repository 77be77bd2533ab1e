import type { Metrics } from '../../../observability/metrics.ts';
import type { Instruments } from './instruments.ts';

const forms = new Set(['schema1', 'schema2', 'list', 'oci', 'oci-index', 'generic', 'v1']);

type StoreMetrics = Pick<Metrics, 'storeRead' | 'storeWrite' | 'storeEvicted' | 'storeSize' | 'storeHung'>;

/** The work of regshift itself: conversions, the layers that they read, caches, and the store. */
export function workMetrics(
  instruments: Instruments,
): Pick<Metrics, 'cacheLookup' | 'conversion' | 'layerReads'> & StoreMetrics {
  const { counter, gauge, histogram } = instruments;
  const caches = counter('cache_requests_total', 'Lookups in caches, by result.', 'tier', 'result');
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
  const layers = gauge('layers_reading', 'Layers that regshift reads at this moment.');
  return {
    cacheLookup: (tier, hit) => caches.inc({ tier, result: hit ? 'hit' : 'miss' }),
    conversion({ from, to, result, seconds }) {
      conversions.inc({ from: forms.has(from) ? from : 'other', to, result });
      if (result !== 'remembered') conversionSeconds.observe({ to }, seconds);
    },
    layerReads: (change) => layers.inc(change),
    ...storeMetrics(instruments),
  };
}

/** Without a store all of these stay at 0, so that one dashboard fits all. */
function storeMetrics({ counter, gauge }: Instruments): StoreMetrics {
  const reads = counter('store_reads_total', 'Lookups of layers in the store, by result.', 'result');
  const writes = counter('store_writes_total', 'Layers that were written to the store, by result.', 'result');
  const written = counter('store_written_bytes_total', 'Bytes of layers that were stored.');
  writes.inc({ result: 'error' }, 0);
  const evicted = counter('store_evicted_total', 'Layers that were removed to make room.');
  const evictedBytes = counter(
    'store_evicted_bytes_total',
    'Bytes of layers that were removed to make room.',
  );
  const size = gauge('store_bytes', 'Bytes of layers in the store, where it is a folder.');
  const hung = gauge(
    'store_hung_operations',
    'File operations of the store that do not end, and hold a thread.',
  );
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
