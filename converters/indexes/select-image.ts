import { ConversionError } from '../errors.ts';
import { fetchConfig, fetchModel } from '../fetch.ts';
import { isArtifact } from '../formats/oci-family/index-entry.ts';
import type { Image, Index, IndexEntry } from '../model.ts';
import { fitting, formatPlatform, type Platform, platformRank } from '../platform.ts';
import type { ConversionPorts } from '../ports.ts';
import { withPlatformTable } from './platform-table.ts';
import { enterIndex, newTraversal, type Traversal } from './traversal.ts';

/** Entries without a platform are opened to see theirs; more than this is not worth a client's wait. */
const maximumUnlabelled = 8;

/**
 * The image of an index that a client of this platform runs: the best fitting variant, of equals the first
 * listed. Attestations and artifacts are never chosen; indexes inside indexes are followed.
 * @throws ConversionError NO_PLATFORM naming the platforms there are, LIMIT; or what a port throws.
 */
export function selectImage(index: Index, wanted: Platform, ports: ConversionPorts): Promise<Image> {
  return choose(index, wanted, ports, newTraversal());
}

async function choose(
  index: Index,
  wanted: Platform,
  ports: ConversionPorts,
  traversal: Traversal,
): Promise<Image> {
  const within = enterIndex(index, traversal);
  const whole = await withPlatformTable(index, ports);
  const images = whole.dependencies.filter((entry) => !entry.attestation && !isArtifact(entry));
  const unlabelled = images.filter((entry) => entry.platform === undefined).slice(0, maximumUnlabelled);
  for (const entry of [...fitting(wanted, images), ...unlabelled]) {
    const image = await imageOf(entry, wanted, ports, within);
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
  traversal: Traversal,
): Promise<Image | undefined> {
  try {
    const model = await fetchModel(entry, ports);
    if (model.kind === 'index') return await choose(model, wanted, ports, traversal);
    if (entry.platform) return model;
    const { target } = model;
    const platform = target.kind === 'v1' ? target.platform : (await fetchConfig(model, ports)).platform;
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
