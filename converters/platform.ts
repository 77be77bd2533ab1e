/** A platform as an index entry or an image config states it (OCI image-spec 1.1, image-index.md). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  readonly osVersion?: string | undefined;
  readonly osFeatures?: readonly string[] | undefined;
}

/** `linux/arm/v7`, as users write it. */
export function formatPlatform(platform: Platform): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant ? `${base}/${platform.variant}` : base;
}

/** Reads `os/arch` or `os/arch/variant`; `undefined` when it is not one. */
export function parsePlatform(text: string): Platform | undefined {
  const [os, architecture, variant, ...rest] = text.split('/');
  if (!os || !architecture || variant === '' || rest.length > 0) return undefined;
  if (!/^[a-z0-9_.-]+$/i.test([os, architecture, variant ?? 'x'].join(''))) return undefined;
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

/**
 * Variants in the order to try them. A User-Agent says `arch/arm` for v5, v6 and v7 alike; an image for v6 runs on
 * v6 and v7, so it is tried first (formats.md, section 5).
 */
const variantOrder: Readonly<Record<string, readonly string[]>> = {
  arm: ['v6', 'v5', 'v7', ''],
  arm64: ['', 'v8', 'v9'],
  amd64: ['', 'v1', 'v2', 'v3', 'v4'],
};

/** Variants that a machine of the wanted variant runs as well, best first. */
const runsOn: Readonly<Record<string, readonly string[]>> = {
  v8: ['v8', 'v7', 'v6', 'v5'],
  v7: ['v7', 'v6', 'v5'],
  v6: ['v6', 'v5'],
  v5: ['v5'],
};

/**
 * How well an entry fits: 0 is best, `undefined` is not at all.
 * @param wanted the client's platform; without a variant, the order above decides.
 */
export function platformRank(wanted: Platform, offered: Platform): number | undefined {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return undefined;
  const order = acceptableVariants(wanted);
  if (order === 'any') return offered.variant ? 1 : 0;
  const rank = order.indexOf(offered.variant ?? '');
  return rank === -1 ? undefined : rank;
}

function acceptableVariants(wanted: Platform): readonly string[] | 'any' {
  if (!wanted.variant) return variantOrder[wanted.architecture] ?? 'any';
  if (wanted.architecture !== 'arm') return [wanted.variant, ''];
  return [...(runsOn[wanted.variant] ?? [wanted.variant]), ''];
}

/** The entries that fit, best first; of equals the first listed wins, as in Docker. */
export function fitting<Entry extends { readonly platform?: Platform | undefined }>(
  wanted: Platform,
  entries: readonly Entry[],
): Entry[] {
  return entries
    .map((entry) => ({ entry, rank: entry.platform && platformRank(wanted, entry.platform) }))
    .filter((each): each is { entry: Entry; rank: number } => each.rank !== undefined)
    .sort((left, right) => left.rank - right.rank)
    .map((each) => each.entry);
}
