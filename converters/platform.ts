/** The platform of an index entry or an image config (OCI image-spec 1.1, image-index.md). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  readonly osVersion?: string | undefined;
  readonly osFeatures?: readonly string[] | undefined;
}

/** The platform as users write it, for example `linux/arm/v7`. */
export function formatPlatform(platform: Platform): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant ? `${base}/${platform.variant}` : base;
}

/** Reads `os/arch` or `os/arch/variant`. @returns `undefined` for other text. */
export function parsePlatform(text: string): Platform | undefined {
  const [os, architecture, variant, ...rest] = text.split('/');
  if (!os || !architecture || variant === '' || rest.length > 0) return undefined;
  if (!/^[a-z0-9_.-]+$/i.test([os, architecture, variant ?? 'x'].join(''))) return undefined;
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

/**
 * Names of architectures of `uname -m` and of Debian, with their names and variants in images. containerd/platforms has most
 * of them (database.go, `normalizeArch`), and no name of a 32-bit machine of `uname -m`.
 */
const otherArchitectures: ReadonlyMap<string, readonly [architecture: string, variant?: string]> = new Map([
  ['x86_64', ['amd64']],
  ['x86-64', ['amd64']],
  ['i386', ['386']],
  ['i686', ['386']],
  ['aarch64', ['arm64']],
  ['armv7l', ['arm', 'v7']],
  ['armv6l', ['arm', 'v6']],
  ['armhf', ['arm', 'v7']],
  ['armel', ['arm', 'v6']],
]);

/** Reads a platform as users write it: `linux/aarch64` is `linux/arm64`. @returns as `parsePlatform`. */
export function readPlatform(text: string): Platform | undefined {
  const platform = parsePlatform(text);
  return platform && usualNames(platform);
}

/**
 * The platform with the names that Go has. Index entries may have the names of `uname -m`, of Debian, upper case, and `7`
 * for `v7`; Docker 20.10 and containerd read them (containerd/platforms, `Normalize`).
 */
function usualNames({ os, architecture: stated, variant: statedVariant }: Platform): Platform {
  const named = stated.toLowerCase();
  const [architecture, variant = statedVariant?.toLowerCase()] = otherArchitectures.get(named) ?? [named];
  const base = { os: os.toLowerCase(), architecture };
  return variant ? { ...base, variant: variant.replace(/^(?=\d+$)/, 'v') } : base;
}

/**
 * Variants in order of preference, for a client that states none. A User-Agent says `arch/arm` for v5, v6 and v7
 * alike. An image for v6 runs on v6 and v7, so it comes first.
 */
const variantOrder: ReadonlyMap<string, readonly string[]> = new Map([
  ['arm', ['v6', 'v5', 'v7', '']],
  ['arm64', ['', 'v8', 'v9']],
  ['amd64', ['', 'v1', 'v2', 'v3', 'v4']],
]);

/** Variants that a machine of each ARM variant can run, best first. */
const runsOn: ReadonlyMap<string, readonly string[]> = new Map([
  ['v8', ['v8', 'v7', 'v6', 'v5']],
  ['v7', ['v7', 'v6', 'v5']],
  ['v6', ['v6', 'v5']],
  ['v5', ['v5']],
]);

/**
 * Ranks an entry for a platform.
 * @param wanted the client's platform. Without a variant, `variantOrder` decides.
 * @returns 0 for the best variant, a higher number for a worse one, `undefined` if the client cannot run the entry.
 */
export function platformRank(wanted: Platform, offered: Platform): number | undefined {
  const [client, { os, architecture, variant = '' }] = [usualNames(wanted), usualNames(offered)];
  if (os !== client.os || architecture !== client.architecture) return undefined;
  const order = acceptableVariants(client);
  if (order === 'any') return variant ? 1 : 0;
  const rank = order.indexOf(variant);
  return rank === -1 ? undefined : rank;
}

function acceptableVariants(wanted: Platform): readonly string[] | 'any' {
  if (!wanted.variant) return variantOrder.get(wanted.architecture) ?? 'any';
  if (wanted.architecture !== 'arm') return [wanted.variant, ''];
  return [...(runsOn.get(wanted.variant) ?? [wanted.variant]), ''];
}

/** The entries that the platform can run, best first. Entries of equal rank keep their order, as in Docker. */
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
