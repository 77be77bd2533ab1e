import type { ConversionContext, Converted } from '../../../converters/conversion.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { fetchVerified } from '../../../converters/fetch.ts';
import type { Descriptor, Image, Layer, Loss } from '../../../converters/model.ts';
import { readManifest } from '../../../converters/read.ts';
import type { LayerSpool } from '../images/layer-spool.ts';
import type { OpenImage } from '../images/open-image.ts';

/** An image to write into an archive. */
export interface SavedImage {
  readonly source: OpenImage;
  readonly image: Image;
  /** The platform that the image was selected for; undefined where the registry has one image under the name. */
  readonly platform: string | undefined;
  readonly context: ConversionContext;
  readonly spool: LayerSpool;
  /** The name without a tag, as the engine shows it; undefined for an image without a tag. */
  readonly repository: string | undefined;
  readonly tag: string | undefined;
  /** Called with the number of bytes that are downloaded outside of the spool. */
  readonly onRead: (bytes: number) => void;
}

/** The result of writing an archive. */
export interface Archived {
  /** The id that the engine gives to the image: the v1 id, or the digest of the config. */
  readonly id: string;
  readonly losses: readonly Loss[];
}

/** The parts of a converted image that an archive holds. */
export interface ImageParts {
  readonly config: Descriptor;
  readonly configBytes: Uint8Array;
  readonly layers: readonly Layer[];
}

/** Reads a converted manifest, and its config. @throws ConversionError if the config has another digest. */
export async function partsOf(
  { body, mediaType, blobs }: Converted,
  { ports }: ConversionContext,
): Promise<ImageParts> {
  const model = readManifest(body, mediaType);
  if (model.kind === 'index' || model.target.kind === 'v1') throw noImage();
  const { descriptor: config } = model.target;
  const made = blobs.find(({ digest }) => digest === config.digest);
  const configBytes =
    made?.kind === 'config' ? made.bytes : await fetchVerified(config, ports, 'image config');
  return { config, configBytes, layers: model.dependencies };
}

function noImage(): ConversionError {
  return new ConversionError({ code: 'NOT_AN_IMAGE', message: 'An archive holds one image with a config' });
}

/** The names of the image in `RepoTags`; null, as Docker writes it, for none. */
export function tagsOf({ repository, tag }: SavedImage): readonly string[] | null {
  return repository === undefined || tag === undefined ? null : [`${repository}:${tag}`];
}
