import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { fetchConfig, namedModel } from '../../../converters/fetch.ts';
import { isBlobEntry } from '../../../converters/indexes/entries.ts';
import { withPlatformTable } from '../../../converters/indexes/platform-table.ts';
import type { Image, Index, Layer } from '../../../converters/model.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import { boundedPorts, type ConversionPorts } from '../../../converters/ports.ts';
import { readManifest } from '../../../converters/read.ts';
import { ignoring } from '../../errors.ts';
import { isNotReadYet } from '../../layers/unread.ts';
import { formName } from '../../negotiation/format-names.ts';
import { platformFor } from '../manifests/client-platform.ts';
import { type InspectedImage, storedManifest } from './inspected-image.ts';

/** The content that a registry stores under an image name. */
export interface StoredDescription {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly form: string;
  /** Size of the manifest in bytes. */
  readonly size: number;
  /** The entries of an index. */
  readonly entries?: readonly DescribedEntry[];
  /** The image, or the image of an index for the chosen platform. */
  readonly image?: StoredImage;
  /** The reason why there is no `image`. */
  readonly noImage?: string;
}

export interface DescribedEntry {
  readonly digest: Digest;
  readonly form: string;
  readonly size?: number;
  readonly platform?: string;
  /** `os.version` of a Windows image, by which entries of one platform differ. */
  readonly osVersion?: string;
  readonly attestation: boolean;
  /** True for an entry that is a blob and no manifest, as those of a BuildKit cache. */
  readonly blob?: true;
}

interface StoredImage {
  readonly digest: Digest;
  readonly form: string;
  readonly platform?: string;
  readonly config?: { readonly digest: Digest; readonly size?: number };
  /** Number of history entries; absent if the image has no history. */
  readonly history?: number;
  readonly layers: readonly StoredLayer[];
}

export interface StoredLayer {
  readonly digest: Digest;
  readonly compression: string;
  readonly size?: number;
}

/**
 * Describes an image. Gets the manifest, one image of an index, their configs, and the first bytes of each layer whose
 * media type does not say its compression, unless the context allows no read (`RequestContext.mayFetch`).
 */
export async function describeStored(image: InspectedImage): Promise<StoredDescription> {
  const { registry, name, plain } = image;
  const { digest, bytes, contentType } = await storedManifest(image);
  const { mediaType } = await registry.stored.getManifestInfo(name, digest, plain.context);
  const basics = { digest, mediaType, form: formName(mediaType), size: bytes.length };
  const ports = boundedPorts(registry.stored.ports(name, plain.context));
  try {
    const model = namedModel(readManifest(bytes, contentType), { digest });
    if (model.kind === 'image') return { ...basics, image: await describeImage(model, ports) };
    const entries = await entriesOf(model, ports);
    return { ...basics, entries, ...(await imageOfIndex(image, digest, ports)) };
  } catch (error) {
    if (error instanceof ConversionError && error.code === 'NOT_AN_IMAGE')
      return { ...basics, noImage: error.message };
    throw error;
  }
}

async function imageOfIndex(
  image: InspectedImage,
  index: Digest,
  ports: ConversionPorts,
): Promise<Pick<StoredDescription, 'image' | 'noImage'>> {
  const { registry, name, plain } = image;
  try {
    const digest = await registry.stored.selectPlatform(
      name,
      index,
      platformFor(registry, plain),
      plain.context,
    );
    const model = await registry.stored.getModel(name, digest, plain.context);
    return model.kind === 'image' ? { image: await describeImage(model, ports) } : {};
  } catch (error) {
    if (error instanceof ConversionError && imageErrors.has(error.code)) return { noImage: error.message };
    throw error;
  }
}

/** Errors of the chosen image alone: the index can be described without it. */
const imageErrors: ReadonlySet<string> = new Set(['NO_PLATFORM', 'UNAVAILABLE']);

async function entriesOf(index: Index, ports: ConversionPorts): Promise<DescribedEntry[]> {
  const { dependencies } = await withPlatformTable(index, ports);
  return dependencies.map(({ digest, mediaType, size, platform, attestation }) => ({
    digest,
    form: formName(mediaType),
    ...(size === undefined ? {} : { size }),
    ...platformText(platform),
    ...(platform?.osVersion ? { osVersion: platform.osVersion } : {}),
    attestation,
    ...(isBlobEntry({ mediaType }) ? { blob: true as const } : {}),
  }));
}

async function describeImage(image: Image, ports: ConversionPorts): Promise<StoredImage> {
  const { source, target, dependencies } = image;
  const basics = { digest: source.digest, form: formName(source.mediaType) };
  const layers = await Promise.all(dependencies.map((layer) => describeLayer(layer, ports)));
  if (target.kind === 'v1') {
    return { ...basics, ...platformText(target.platform), history: target.entries.length, layers };
  }
  const { platform, history } = await fetchConfig(image, ports);
  const { digest, size } = target.descriptor;
  return {
    ...basics,
    ...platformText(platform),
    config: { digest, ...(size === undefined ? {} : { size }) },
    ...(history ? { history: history.length } : {}),
    layers,
  };
}

async function describeLayer(layer: Layer, ports: ConversionPorts): Promise<StoredLayer> {
  const { digest, size, compression: declared, foreign } = layer;
  const isSniffed = declared === 'unknown' && !foreign;
  const sniffed = isSniffed ? await ports.sniffLayer(layer).catch(ignoring(isNotReadYet)) : undefined;
  const compression = sniffed ?? declared;
  return { digest, compression, ...(size === undefined ? {} : { size }) };
}

/** The platform of an entry for a person, like `windows/amd64 10.0.20348.2700`; for others, what it is. */
export function entryText({
  platform = 'any platform',
  osVersion,
  attestation,
  blob,
}: DescribedEntry): string {
  if (attestation) return 'attestation';
  if (blob) return 'blob';
  return osVersion === undefined ? platform : `${platform} ${osVersion}`;
}

function platformText(platform: Platform | undefined): { readonly platform?: string } {
  return platform ? { platform: formatPlatform(platform) } : {};
}
