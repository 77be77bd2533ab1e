import type { Digest } from '../../converters/digest.ts';
import { RegistryError } from '../errors.ts';
import type { LayerInspector } from './inspector.ts';

/** The layers that one conversion has to read, for the progress message to a client that cannot wait. */
export interface LayersToRead {
  /** @param size compressed bytes, if the manifest has them. */
  add(digest: Digest, size: number | undefined): void;
  done(digest: Digest): void;
  /**
   * The error that tells the client how far the layers are and when to pull again. Docker shows the message of a 404
   * UNSUPPORTED to its user. The reads continue for at least twice the time until then.
   */
  notYet(inspector: Pick<LayerInspector, 'progress' | 'keepFor'>): RegistryError;
}

interface LayerToRead {
  readonly size: number | undefined;
  done: boolean;
}

/** Seconds until the next pull if the remaining time is unknown. */
const usualWait = 60;
/** Minimum number of seconds until the next pull, apart from the time in line. */
const shortestWait = 5;

export function createLayersToRead(): LayersToRead {
  const layers = new Map<Digest, LayerToRead>();
  return {
    add: (digest, size) => void layers.set(digest, { size, done: false }),
    done(digest) {
      const layer = layers.get(digest);
      if (layer) layer.done = true;
    },
    notYet(inspector) {
      const { read, total, speed, waitMs } = sumOf(layers, inspector);
      const left = total !== undefined && speed > 0 ? Math.ceil((total - read) / speed / 1000) : usualWait;
      const wait = Math.max(shortestWait, left) + Math.ceil(waitMs / 1000);
      for (const digest of layers.keys()) inspector.keepFor(digest, 2 * wait * 1000);
      const number = Math.min(layers.size, [...layers.values()].filter(({ done }) => done).length + 1);
      const megabytes = (bytes: number) => Math.ceil(bytes / 1_000_000);
      const share = total === undefined ? '' : ` (${megabytes(read)} of ${megabytes(total)} MB)`;
      return new RegistryError(
        'UNSUPPORTED',
        `regshift must read the layers of this image once before it can convert it. It is reading layer ${number} of ` +
          `${layers.size}${share}. Pull again in about ${wait} s.`,
        { headers: { 'Retry-After': String(wait) } },
      );
    },
  };
}

interface Sum {
  /** Compressed bytes. */
  readonly read: number;
  /** Compressed bytes; undefined if the size of a layer is unknown. */
  readonly total: number | undefined;
  /** Compressed bytes per millisecond, of all active reads. */
  readonly speed: number;
  /** Milliseconds until the last read starts. */
  readonly waitMs: number;
}

function sumOf(layers: ReadonlyMap<Digest, LayerToRead>, inspector: Pick<LayerInspector, 'progress'>): Sum {
  let [bytesRead, bytesPerMs, wait] = [0, 0, 0];
  let all: number | undefined = 0;
  for (const [digest, { size, done }] of layers) {
    const { read = 0, total = size, waitMs = 0, speed = 0 } = inspector.progress(digest) ?? {};
    bytesRead += done ? (total ?? 0) : read;
    bytesPerMs += speed;
    if (!done) wait = Math.max(wait, waitMs);
    const isKnown = done || total !== undefined;
    all = all !== undefined && isKnown ? all + (total ?? 0) : undefined;
  }
  return { read: bytesRead, total: all, speed: bytesPerMs, waitMs: wait };
}
