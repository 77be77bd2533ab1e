import { ConversionError } from '../../../converters/errors.ts';
import { fetchConfig } from '../../../converters/fetch.ts';
import type { Image, Model } from '../../../converters/model.ts';
import { fitting, formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';

/**
 * The platform of an image that is in no index, by its config, if that is another one than the wanted one.
 * @returns undefined if the image is for the wanted platform, or names none, as an artifact.
 */
export async function otherPlatform(
  model: Model,
  wanted: Platform,
  ports: ConversionPorts,
): Promise<Platform | undefined> {
  const own = model.kind === 'image' ? await platformOf(model, ports) : undefined;
  return own && fitting(wanted, [{ platform: own }]).length === 0 ? own : undefined;
}

/**
 * Refuses an image that is in no index and not for the platform of `--platform`, as an index without such an image is.
 * @param wanted undefined: each platform is right.
 * @throws ConversionError NO_PLATFORM.
 */
export async function refuseOtherPlatform(
  model: Model,
  wanted: Platform | undefined,
  ports: ConversionPorts,
): Promise<void> {
  if (wanted === undefined) return;
  const own = await otherPlatform(model, wanted, ports);
  if (own === undefined) return;
  throw new ConversionError({
    code: 'NO_PLATFORM',
    message:
      `The image is for ${formatPlatform(own)}, and not for ${formatPlatform(wanted)}. ` +
      'Name another image, or leave --platform out',
  });
}

async function platformOf(image: Image, ports: ConversionPorts): Promise<Platform | undefined> {
  return image.target.kind === 'v1' ? image.target.platform : (await fetchConfig(image, ports)).platform;
}
