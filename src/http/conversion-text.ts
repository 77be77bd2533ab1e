import { lostContent } from '../../converters/loss-text.ts';
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
export function conversionText(types: ConversionTypes, losses: readonly Loss[]): string {
  const paths = losses.slice(0, mostLosses).map(({ path }) => quotable(path));
  return `${formsText(types)}${lostText(paths.join(' '))}`;
}

/** The conversion for the log, which names what is lost: `oci-index -> list; lost="the image for linux/s390x"`. */
export function loggedConversion(types: ConversionTypes, losses: readonly Loss[]): string {
  const all = losses.map((loss) => quotable(lostContent(loss)));
  const names = [...new Set(all)];
  const listed = names.slice(0, mostLosses).map((name) => {
    const count = all.filter((each) => each === name).length;
    return count === 1 ? name : `${name} (${count} times)`;
  });
  const more = names.length > mostLosses ? [`and ${names.length - mostLosses} more`] : [];
  return `${formsText(types)}${lostText([...listed, ...more].join(', '))}`;
}

/** Losses that are listed. */
const mostLosses = 5;

function formsText({ from, to, platform }: ConversionTypes): string {
  const place = platform ? `; platform=${formatPlatform(platform)}` : '';
  const unsigned = from === mediaTypes.schema1 ? '; unsigned' : '';
  return `${formName(from)} -> ${to === undefined ? 'none' : formName(to)}${unsigned}${place}`;
}

function lostText(lost: string): string {
  return lost === '' ? '' : `; lost="${lost}"`;
}

/** The text without characters that a header or the quotes around it do not allow. */
function quotable(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/g, '?').slice(0, 60);
}
