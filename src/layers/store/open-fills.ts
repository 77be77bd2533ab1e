import type { Digest } from '../../../converters/digest.ts';
import type { Clock } from '../../clock.ts';
import type { Background } from '../../concurrency/background.ts';
import { valueWithin } from '../../concurrency/deadline.ts';
import type { BlobName } from './blob-store.ts';
import { createFill, type Fill, type FillOptions, type FollowedSpan } from './fill.ts';
import { lostMs } from './queued-write.ts';

/** The fills of a store that are not over, for all registries. */
export interface OpenFills {
  /** The number of fills. */
  count(): number;
  /** As `LayerStore.fill`. @param keyOf the key of a blob in the store. */
  begin(blob: BlobName | undefined, keyOf: KeyOf, options: OpenFillOptions): Fill | undefined;
  /** As `LayerStore.follow`. @param key the key of the blob. */
  follow(
    key: string,
    span: FollowedSpan,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<Uint8Array> | 'stored' | undefined>;
}

type KeyOf = (digest: Digest) => string;
type OpenFillOptions = Pick<FillOptions, 'open' | 'registry' | 'digester' | 'ended'>;

/** The longest wait for a blob that is being stored. */
const commitMs = 3_000;

export function createOpenFills(clock: Clock, background: Background): OpenFills {
  const filling = new Map<string | symbol, { used: number; readonly forget: () => void }>();
  const committing = new Map<string, { readonly fill: Fill; readonly over: Promise<void> }>();

  return {
    count() {
      for (const { used, forget } of filling.values()) if (clock() - used > lostMs) forget();
      return filling.size;
    },

    begin(blob, keyOf, options) {
      const key = blob ? keyOf(blob.digest) : Symbol('a fill without a digest yet');
      if (filling.has(key)) return undefined;
      const over = Promise.withResolvers<void>();
      background(over.promise);
      let ending: string | undefined;
      const forget = () => {
        if (filling.get(key) === entry) filling.delete(key);
        if (ending && committing.get(ending)?.fill === fill) committing.delete(ending);
      };
      const entry = { used: clock(), forget };
      filling.set(key, entry);
      const fill = createFill({
        ...options,
        clock,
        used() {
          entry.used = clock();
        },
        committing({ digest }) {
          ending = keyOf(digest);
          committing.set(ending, { fill, over: over.promise });
        },
        ended(end) {
          forget();
          over.resolve();
          options.ended(end);
        },
      });
      return fill;
    },

    async follow(key, span, signal) {
      const ending = committing.get(key);
      if (ending === undefined) return undefined;
      const followed = async () =>
        (await ending.fill.follow(span, signal)) ?? ending.over.then(() => 'stored' as const);
      const result = await valueWithin(commitMs, followed());
      // The next pulls do not wait for a slow or lost commit.
      if (result === undefined && committing.get(key) === ending) committing.delete(key);
      return result;
    },
  };
}
