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

/**
 * The history of the config with an entry for each layer. A history may name fewer layers than there are, or none (Nix,
 * apko, rules_oci, base images of AWS): every engine from Docker 1.10 on runs such images, and docker-registry silently
 * drops the layers. Each layer without an entry gets one of its own, directly above the last entry that took a layer.
 * @throws ConversionError INVALID when the history names more layers than there are.
 */
function historyOf(config: ImageConfig, layers: readonly Layer[]): readonly HistoryEntry[] {
  const stated = config.history ?? [];
  const created = config.created ?? zeroTime;
  const entry = { created, createdBy: '', author: '', comment: '' };
  const missing = layers.length - stated.filter(({ emptyLayer }) => !emptyLayer).length;
  if (missing < 0) {
    throw new ConversionError({
      code: 'INVALID',
      message: 'The history does not account for the layers',
      path: '$.history',
      found: `${layers.length - missing} entries with a layer`,
      expected: `at most ${layers.length}, one for each layer of the manifest`,
    });
  }
  // Old clients need at least one entry, even for an image without layers.
  if (stated.length === 0 && missing === 0) return [{ ...entry, emptyLayer: true }];
  const above = stated.findLastIndex(({ emptyLayer }) => !emptyLayer) + 1;
  const filled = Array.from({ length: missing }, () => ({ ...entry, emptyLayer: false }));
  return [...stated.slice(0, above), ...filled, ...stated.slice(above)];
}

function pair(history: readonly HistoryEntry[], layers: readonly Layer[]): HistoryStep[] {
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
