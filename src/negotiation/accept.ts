import { bareMediaType, manifestTypes, mediaTypes } from '../../converters/media-types.ts';

/** The media types in an `Accept` header. */
export interface AcceptHeader {
  /** The named types with a q above 0, and their q: the client prefers a higher one. Without q it is 1. */
  readonly named: ReadonlyMap<string, number>;
  /** True for a wildcard without a manifest type beside it: the client gets the stored manifest unchanged. */
  readonly wildcard: boolean;
  /** True for a wildcard, whatever stands beside it: the client gets a document that has no other form. */
  readonly any: boolean;
  /** True if the header names no type, or only `application/json`. */
  readonly bare: boolean;
  /** True if the header names nothing at all. */
  readonly empty: boolean;
}

const namedTypes: ReadonlySet<string> = new Set([...manifestTypes, mediaTypes.generic]);

/** `*` alone is no media range, but containerd sent it up to 1.2 (remotes/docker/fetcher.go). */
const wildcards: ReadonlySet<string> = new Set(['*/*', 'application/*', '*']);
/** The number of characters that are read of a header; the longest header seen of a real client has 600. */
const maximumLength = 8192;

/**
 * Parses an `Accept` header (RFC 9110, section 12.5.1). Clients send several lines, which arrive joined by commas.
 * @param header undefined or empty if the client names no type, as Docker up to 1.9.
 */
export function readAccept(header: string | undefined): AcceptHeader {
  const ranges = (header ?? '').slice(0, maximumLength).split(',').map(readRange);
  const acceptable = ranges.filter(([type, q]) => type !== '' && q > 0);
  const named = new Map(acceptable.filter(([type]) => !wildcards.has(type) && type !== mediaTypes.json));
  const any = acceptable.some(([type]) => wildcards.has(type));
  const isManifest = (type: string) => namedTypes.has(type);
  const refused = ranges.flatMap(([type, q]) => (q === 0 ? type : []));
  // Beside a refused type, a wildcard stands for the other types.
  if (any && refused.some(isManifest) && ![...named.keys()].some(isManifest)) {
    for (const type of namedTypes) if (!refused.includes(type)) named.set(type, 1);
  }
  const manifests = [...named.keys()].some(isManifest);
  return {
    named,
    wildcard: any && !manifests,
    any,
    bare: !any && named.size === 0,
    empty: acceptable.length === 0,
  };
}

/** A media range and its q. A q of 0 means "not acceptable"; one that cannot be read counts as 1. */
function readRange(range: string): readonly [type: string, q: number] {
  const q = Number(/;\s*q\s*=\s*([0-9.]+)/i.exec(range)?.[1] ?? 1);
  return [bareMediaType(range), Number.isNaN(q) ? 1 : q];
}
