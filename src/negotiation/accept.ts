import { bareMediaType, mediaTypes } from '../../converters/media-types.ts';

/** What an `Accept` header says of manifests. */
export interface AcceptHeader {
  /** The manifest types named, with a q above 0. */
  readonly named: ReadonlySet<string>;
  /** A wildcard and no manifest type beside it: whatever is stored, unchanged. */
  readonly wildcard: boolean;
}

const manifestTypes: ReadonlySet<string> = new Set([
  mediaTypes.schema1,
  mediaTypes.schema1Signed,
  mediaTypes.schema2,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.generic,
]);

const wildcards: ReadonlySet<string> = new Set(['*/*', 'application/*']);
/** Longer headers are cut here; the longest seen of a real client is 600 characters. */
const maximumLength = 8192;

/**
 * Reads an `Accept` header (RFC 9110, section 12.5.1). Clients send several lines, which arrive joined by commas.
 * @param header absent or empty: the client names nothing, as Docker up to 1.9 does.
 */
export function readAccept(header: string | undefined): AcceptHeader {
  const types = (header ?? '').slice(0, maximumLength).split(',').filter(wanted).map(bareMediaType);
  const named = new Set(
    types.filter((type) => type !== '' && !wildcards.has(type) && type !== mediaTypes.json),
  );
  const manifests = [...named].some((type) => manifestTypes.has(type));
  return { named, wildcard: !manifests && types.some((type) => wildcards.has(type)) };
}

/** False for a range with q=0, which means "never". */
function wanted(range: string): boolean {
  const q = /;\s*q\s*=\s*([0-9.]+)/i.exec(range)?.[1];
  return q === undefined || Number(q) !== 0;
}
