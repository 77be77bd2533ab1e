import { ConversionError } from '../errors.ts';
import { fetchConfig, fetchModel } from '../fetch.ts';
import type { Image, Index, IndexEntry } from '../model.ts';
import { fitting, formatPlatform, type Platform, platformRank } from '../platform.ts';
import type { ConversionPorts } from '../ports.ts';
import { gzipTwinOf, isLabelledZstd, namesImage } from './entries.ts';
import { withPlatformTable } from './platform-table.ts';
import { countManifest, enterIndex, newTraversal, type Traversal } from './traversal.ts';

/** Maximum number of entries without a platform whose configs are fetched; more would make the client wait too long. */
const maximumUnlabelled = 8;

/**
 * Selects the image of an index for a platform: the best variant, and of equal variants the first entry. It searches
 * inner indexes too, and never selects an attestation or artifact.
 * @throws ConversionError NO_PLATFORM, which lists the available platforms, or LIMIT.
 * @throws any error of a port, unchanged.
 */
export function selectImage(index: Index, wanted: Platform, ports: ConversionPorts): Promise<Image> {
  return select(index, wanted, ports, newTraversal());
}

async function select(
  index: Index,
  wanted: Platform,
  ports: ConversionPorts,
  traversal: Traversal,
): Promise<Image> {
  const within = enterIndex(index, traversal);
  const whole = await withPlatformTable(index, ports);
  const all = whole.dependencies.filter(namesImage);
  // Of two images for one platform, the one with gzip layers.
  const images = all.filter((entry) => gzipTwinOf(entry, all, isLabelledZstd) === undefined);
  const unlabelled = images.filter((entry) => entry.platform === undefined).slice(0, maximumUnlabelled);
  const notImages = new Set<IndexEntry>();
  for (const entry of [...fitting(wanted, images), ...unlabelled]) {
    const image = await imageOf(entry, wanted, ports, within);
    if (image === 'not an image') notImages.add(entry);
    else if (image) return image;
  }
  const others = images.filter((entry) => !notImages.has(entry));
  throw new ConversionError({
    code: 'NO_PLATFORM',
    message: `There is no image for ${formatPlatform(wanted)} under this name`,
    found: platformsOf(others).join(', ') || 'no image at all',
    expected: formatPlatform(wanted),
  });
}

/** The image of an entry, or `undefined` if its content is for another platform. */
async function imageOf(
  entry: IndexEntry,
  wanted: Platform,
  ports: ConversionPorts,
  traversal: Traversal,
): Promise<Image | 'not an image' | undefined> {
  try {
    const model = await fetchModel(entry, ports);
    countManifest(model, traversal);
    if (model.kind === 'index') return await select(model, wanted, ports, traversal);
    if (entry.platform) return model;
    const { target } = model;
    const platform = target.kind === 'v1' ? target.platform : (await fetchConfig(model, ports)).platform;
    return platform && platformRank(wanted, platform) !== undefined ? model : undefined;
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    if (error.code === 'NOT_AN_IMAGE') return 'not an image';
    if (error.code === 'NO_PLATFORM') return undefined;
    throw error;
  }
}

function platformsOf(entries: readonly IndexEntry[]): string[] {
  return [...new Set(entries.map(({ platform }) => (platform ? formatPlatform(platform) : 'unlabelled')))];
}
