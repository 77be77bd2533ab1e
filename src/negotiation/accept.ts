import { bareMediaType, mediaTypes } from '../../converters/media-types.ts';

/** The manifest types in an `Accept` header. */
export interface AcceptHeader {
  /** The named manifest types with a q above 0. */
  readonly named: ReadonlySet<string>;
  /** True for a wildcard without a manifest type beside it: the client gets the stored manifest unchanged. */
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
/** The number of characters that are read of a header; the longest header seen of a real client has 600. */
const maximumLength = 8192;

/**
 * Parses an `Accept` header (RFC 9110, section 12.5.1). Clients send several lines, which arrive joined by commas.
 * @param header undefined or empty if the client names no type, as Docker up to 1.9.
 */
export function readAccept(header: string | undefined): AcceptHeader {
  const types = (header ?? '').slice(0, maximumLength).split(',').filter(isAcceptable).map(bareMediaType);
  const named = new Set(
    types.filter((type) => type !== '' && !wildcards.has(type) && type !== mediaTypes.json),
  );
  const manifests = [...named].some((type) => manifestTypes.has(type));
  return { named, wildcard: !manifests && types.some((type) => wildcards.has(type)) };
}

/** False for a media range with q=0, which means "not acceptable". */
function isAcceptable(range: string): boolean {
  const q = /;\s*q\s*=\s*([0-9.]+)/i.exec(range)?.[1];
  return q === undefined || Number(q) !== 0;
}
