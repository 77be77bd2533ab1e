import { ConversionError } from './errors.ts';
import { limits } from './limits.ts';
import type { Image, Index, IndexEntry } from './model.ts';
import { fitting, formatPlatform, type Platform, platformRank } from './platform.ts';
import { withPlatformTable } from './platform-table.ts';
import { type ConversionPorts, fetchConfig, fetchModel } from './ports.ts';

/** Entries without a platform are opened to see theirs; more than this is not worth a client's wait. */
const maximumUnlabelled = 8;

/**
 * The image of an index that a client of this platform runs: the best fitting variant, of equals the first
 * listed. Attestations and artifacts are never chosen; indexes inside indexes are followed.
 * @throws ConversionError NO_PLATFORM naming the platforms there are; or what a port throws.
 */
export async function chooseImage(
  index: Index,
  wanted: Platform,
  ports: ConversionPorts,
  depth = 1,
): Promise<Image> {
  if (depth > limits.indexDepth) throw tooDeep();
  const whole = await withPlatformTable(index, ports);
  const images = whole.dependencies.filter((entry) => !entry.attestation && entry.artifactType === undefined);
  const unlabelled = images.filter((entry) => entry.platform === undefined).slice(0, maximumUnlabelled);
  for (const entry of [...fitting(wanted, images), ...unlabelled]) {
    const image = await imageOf(entry, wanted, ports, depth);
    if (image) return image;
  }
  throw new ConversionError({
    code: 'NO_PLATFORM',
    message: `There is no image for ${formatPlatform(wanted)} under this name`,
    found: platformsOf(images).join(', ') || 'no image at all',
    expected: formatPlatform(wanted),
  });
}

/** The entry's image, or `undefined` when it turns out not to fit. */
async function imageOf(
  entry: IndexEntry,
  wanted: Platform,
  ports: ConversionPorts,
  depth: number,
): Promise<Image | undefined> {
  try {
    const model = await fetchModel(entry, ports);
    if (model.kind === 'index') return await chooseImage(model, wanted, ports, depth + 1);
    if (entry.platform) return model;
    const { platform } = await fetchConfig(model, ports);
    return platform && platformRank(wanted, platform) !== undefined ? model : undefined;
  } catch (error) {
    const other =
      error instanceof ConversionError && (error.code === 'NO_PLATFORM' || error.code === 'NOT_AN_IMAGE');
    if (other) return undefined;
    throw error;
  }
}

function platformsOf(entries: readonly IndexEntry[]): string[] {
  return [...new Set(entries.map(({ platform }) => (platform ? formatPlatform(platform) : 'unlabelled')))];
}

function tooDeep(): ConversionError {
  return new ConversionError({
    code: 'LIMIT',
    message: 'Indexes are nested too deeply',
    expected: `at most ${limits.indexDepth} levels`,
  });
}
