import type { Digest } from '../../converters/digest.ts';
import { RegistryError } from '../errors.ts';
import type { LayerInspector } from './inspector.ts';

/** The layers that one conversion needs to have read, so that a client that cannot wait is told how far they are. */
export interface LayersToRead {
  /** @param size bytes as stored, where the manifest says so. */
  add(digest: Digest, size: number | undefined): void;
  done(digest: Digest): void;
  /**
   * What a client is told: Docker shows the message of a 404 UNSUPPORTED to its user (clients.md, "Errors"). Until
   * then, and for as long again, the layers are read on.
   */
  notYet(learner: Pick<LayerInspector, 'progress' | 'keepFor'>): RegistryError;
}

interface LayerToRead {
  readonly size: number | undefined;
  done: boolean;
}

/** Where nothing is known of how long it will take. */
const usualWait = 60;
const shortestWait = 5;

export function createLayersToRead(): LayersToRead {
  const layers = new Map<Digest, LayerToRead>();
  return {
    add: (digest, size) => void layers.set(digest, { size, done: false }),
    done(digest) {
      const layer = layers.get(digest);
      if (layer) layer.done = true;
    },
    notYet(learner) {
      const { read, total, speed, waits } = sumOf(layers, learner);
      const left = total !== undefined && speed > 0 ? Math.ceil((total - read) / speed / 1000) : usualWait;
      const wait = Math.max(shortestWait, left) + Math.ceil(waits / 1000);
      for (const digest of layers.keys()) learner.keepFor(digest, 2 * wait * 1000);
      const number = Math.min(layers.size, [...layers.values()].filter(({ done }) => done).length + 1);
      const megabytes = (bytes: number) => Math.ceil(bytes / 1_000_000);
      const share = total === undefined ? '' : ` (${megabytes(read)} of ${megabytes(total)} MB)`;
      return new RegistryError(
        'UNSUPPORTED',
        `regshift reads the layers of this image once before it can be given, and is preparing layer ${number} of ` +
          `${layers.size}${share}. Pull again in about ${wait} s.`,
        { headers: { 'Retry-After': String(wait) } },
      );
    },
  };
}

interface Sum {
  /** Bytes as stored. */
  readonly read: number;
  /** Absent where the size of a layer is not known yet. */
  readonly total: number | undefined;
  /** Bytes in a millisecond, of all layers that are being read. */
  readonly speed: number;
  /** Milliseconds until the last of them has its turn. */
  readonly waits: number;
}

function sumOf(layers: ReadonlyMap<Digest, LayerToRead>, learner: Pick<LayerInspector, 'progress'>): Sum {
  const parts = [...layers].map(([digest, { size, done }]) => {
    const { read = 0, total = size, waits = 0, speed = 0 } = learner.progress(digest) ?? {};
    return {
      read: done ? (total ?? 0) : read,
      total: done ? (total ?? 0) : total,
      speed,
      waits: done ? 0 : waits,
    };
  });
  const totals = parts.map(({ total }) => total);
  return {
    read: parts.reduce((sum, { read }) => sum + read, 0),
    total: totals.includes(undefined)
      ? undefined
      : totals.reduce<number>((sum, total) => sum + (total ?? 0), 0),
    speed: parts.reduce((sum, { speed }) => sum + speed, 0),
    waits: parts.reduce((most, { waits }) => Math.max(most, waits), 0),
  };
}
