import { mediaTypes } from '../../converters/media-types.ts';
import type { Loss } from '../../converters/model.ts';
import { formatPlatform, type Platform } from '../../converters/platform.ts';
import { formName } from '../negotiation/format-names.ts';

/** A conversion, by the media types of the manifest before and after it. */
export interface ConversionTypes {
  readonly from: string;
  /** undefined for a pushed artifact that the registry takes in no form. */
  readonly to: string | undefined;
  readonly platform?: Platform;
}

/** The value of `Regshift-Conversion`, like `oci-index -> schema1; platform=linux/amd64; lost="$.annotations"`. */
export function conversionText({ from, to, platform }: ConversionTypes, losses: readonly Loss[]): string {
  const place = platform ? `; platform=${formatPlatform(platform)}` : '';
  const unsigned = from === mediaTypes.schema1 ? '; unsigned' : '';
  const paths = losses.slice(0, 5).map(({ path }) => path.replace(/[^\x20-\x7e]|["\\]/g, '?').slice(0, 60));
  const lost = paths.length > 0 ? `; lost="${paths.join(' ')}"` : '';
  return `${formName(from)} -> ${to === undefined ? 'none' : formName(to)}${unsigned}${place}${lost}`;
}
