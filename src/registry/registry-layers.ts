import type { Cache } from '../cache/cache.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import type { LeaseSemaphore } from '../concurrency/lease-semaphore.ts';
import type { LayerCodec } from '../layers/codec.ts';
import type { DecompressionLimits } from '../layers/decompression-limits.ts';
import { createLayerInspector } from '../layers/inspector.ts';
import type { LayerMembers } from '../layers/layer-members.ts';
import { createLayerService, type LayerService } from '../layers/layer-service.ts';
import type { LayerStore, LayerStores } from '../layers/store/layer-store.ts';
import type { Tails } from '../layers/tails.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { RegistrySettings } from './registry-settings.ts';

/** The parts that all routes share, because reading a layer costs a connection, and a decoder's memory. */
export interface SharedLayers {
  readonly leases: LeaseSemaphore;
  readonly limits: DecompressionLimits;
  readonly tails: Tails;
  readonly store: LayerStores | undefined;
}

export interface RegistryLayersOptions {
  readonly settings: Pick<RegistrySettings, 'layerDeadline' | 'keepsBlobs'>;
  readonly client: UpstreamClient;
  readonly cache: Cache;
  readonly memory: MemoryBudget;
  readonly clock: Clock;
  readonly codec: LayerCodec;
  readonly layers: SharedLayers;
  readonly background: Background;
  readonly metrics: Pick<Metrics, 'layerReads'>;
  readonly members: LayerMembers;
  /** The store of this registry. */
  readonly store: LayerStore | undefined;
}

/** Each route has its own layer inspector: a fault of one upstream does not affect another's layers. */
export function createLayers(options: RegistryLayersOptions): LayerService {
  const { settings, client, cache, memory, clock, codec, layers, background, members, store } = options;
  const inspector = createLayerInspector({
    codec,
    cache,
    memory,
    clock,
    background,
    onReading: options.metrics.layerReads,
    ...layers,
    registry: client.id,
    store: store?.namesAtEnd ? store : undefined,
  });
  return createLayerService({
    client,
    inspector,
    codec,
    limits: layers.limits,
    tails: layers.tails,
    deadline: settings.layerDeadline,
    clock,
    members,
    store,
    keepsBlobs: settings.keepsBlobs,
  });
}
