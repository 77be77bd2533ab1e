import { formName } from '../../negotiation/format-names.ts';
import type { ConversionFacts, Metrics } from '../../observability/metrics.ts';
import type { ManifestRecipe } from './recipe.ts';

/** Counts a conversion, or a product that was found in a cache. @param seconds the time that the conversion took. */
export function countConversion(
  metrics: Metrics,
  { sourceType, form: to }: ManifestRecipe,
  result: ConversionFacts['result'],
  seconds = 0,
): void {
  metrics.conversion({ from: formName(sourceType), to, result, seconds });
}

/** Counts a conversion and its time. A conversion that the signal ended did not fail. */
export async function timedConversion<Made>(
  metrics: Metrics,
  recipe: ManifestRecipe,
  signal: AbortSignal,
  make: () => Promise<Made>,
): Promise<Made> {
  const started = performance.now();
  const count = (result: ConversionFacts['result']) =>
    countConversion(metrics, recipe, result, (performance.now() - started) / 1000);
  try {
    const made = await make();
    count('made');
    return made;
  } catch (error) {
    if (!signal.aborted) count('failed');
    throw error;
  }
}
