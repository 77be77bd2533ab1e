import { ConversionError, type Dialect } from '../../errors.ts';
import type { HistoryEntry, ImageConfig } from '../../image-config.ts';
import { zeroTime } from '../../json/go-time.ts';
import { limits } from '../../limits.ts';
import type { Layer } from '../../model.ts';

/** A history entry with its layer, or `undefined` if the entry added no layer. */
export interface HistoryStep {
  readonly history: HistoryEntry;
  readonly layer: Layer | undefined;
}

/**
 * The history of an image, base first, without the entries that old clients cannot handle (`excessEntries`).
 * @param dialect the dialect to write, for messages.
 * @throws ConversionError INVALID when history and layers do not match, INEXPRESSIBLE beyond 124 layers.
 */
export function historySteps(
  config: ImageConfig,
  layers: readonly Layer[],
  dialect: Dialect,
): readonly HistoryStep[] {
  checkDiffIds(config, layers);
  return withinLimit(pair(historyOf(config, layers), layers), dialect);
}

function checkDiffIds(config: ImageConfig, layers: readonly Layer[]): void {
  if (config.diffIds === undefined || config.diffIds.length === layers.length) return;
  throw new ConversionError({
    code: 'INVALID',
    message: 'The config and the manifest disagree on the number of layers',
    path: '$.rootfs.diff_ids',
    found: `${config.diffIds.length} diff_ids in the config`,
    expected: `${layers.length}, one for each layer of the manifest`,
  });
}

/** The history of the config, or one entry per layer if it has none. OCI allows that; docker-registry refuses it. */
function historyOf(config: ImageConfig, layers: readonly Layer[]): readonly HistoryEntry[] {
  if (config.history !== undefined && config.history.length > 0) return config.history;
  const created = config.created ?? zeroTime;
  const entry = { created, createdBy: '', author: '', comment: '' };
  // Old clients need at least one entry, even for an image without layers.
  if (layers.length === 0) return [{ ...entry, emptyLayer: true }];
  return layers.map(() => ({ ...entry, emptyLayer: false }));
}

function pair(history: readonly HistoryEntry[], layers: readonly Layer[]): HistoryStep[] {
  const withContent = history.filter((entry) => !entry.emptyLayer).length;
  if (withContent !== layers.length) {
    // docker-registry silently drops layers if there are fewer entries, which breaks the image.
    throw new ConversionError({
      code: 'INVALID',
      message: 'The history does not account for the layers',
      path: '$.history',
      found: `${withContent} entries with a layer`,
      expected: `${layers.length}, one for each layer of the manifest`,
    });
  }
  let next = 0;
  return history.map((entry) => ({ history: entry, layer: entry.emptyLayer ? undefined : layers[next++] }));
}

/**
 * Selects the history entries to leave out beyond 124: the oldest entries without a layer. Docker ≤ 1.9 pulls 125
 * entries, but cannot create a container from them.
 * @returns the indexes of these entries.
 */
export function excessEntries(history: readonly Pick<HistoryEntry, 'emptyLayer'>[]): ReadonlySet<number> {
  const empty = history.flatMap(({ emptyLayer }, index) => (emptyLayer ? [index] : []));
  return new Set(empty.slice(0, Math.max(0, history.length - limits.schema1Entries)));
}

function withinLimit(steps: readonly HistoryStep[], dialect: Dialect): readonly HistoryStep[] {
  const gone = excessEntries(steps.map(({ history }) => history));
  const kept = steps.filter((_, index) => !gone.has(index));
  if (kept.length <= limits.schema1Entries) return kept;
  throw new ConversionError({
    code: 'INEXPRESSIBLE',
    message: 'The image has more layers than clients of schema 1 can run; rebuild it with fewer layers',
    dialect,
    found: `${kept.length} layers`,
    expected: `at most ${limits.schema1Entries}`,
  });
}
