/** Major, minor and patch number. */
export type Version = readonly [number, number, number];

/** Parses `1.9.1`, `v2.1.0`, `20.10.24+dfsg1` or `23`; text after the numbers is ignored. Undefined for other text. */
export function readVersion(text: string): Version | undefined {
  const match = /^v?(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?/.exec(text);
  return match ? [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)] : undefined;
}

/** Versions that follow each other. */
export interface VersionRange {
  /** The first version of the range; undefined for all versions up to `before`. */
  readonly from?: Version;
  /** The first version after the range; undefined for all versions since `from`. */
  readonly before?: Version;
}

/** Whether a version is in a range. @param version undefined for an unknown one, which is in no range with a bound. */
export function isInRange(version: Version | undefined, { from, before }: VersionRange): boolean {
  if (version === undefined) return from === undefined && before === undefined;
  return (!from || compareVersions(version, from) >= 0) && (!before || compareVersions(version, before) < 0);
}

/** Below 0 if `left` is older, above 0 if it is newer, else 0. */
export function compareVersions(left: Version, right: Version): number {
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
}
