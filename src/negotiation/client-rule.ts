import { indexTypes, mediaTypes, schema1Types } from '../../converters/media-types.ts';
import type { Platform } from '../../converters/platform.ts';
import type { ClientCapabilities, TagLimits } from './capabilities.ts';
import type { Client } from './client-profile.ts';
import { type ClientProfile, containersImage } from './client-rows.ts';
import type { Pin } from './negotiate.ts';

/** Capabilities that a rule can deny to a client; `index` are all lists and indexes. */
export const deniable = [
  ...(['zstd', 'oci', 'index', 'nestedIndex', 'attestations', 'schema1', 'dockerZstdType'] as const),
];

export type Deniable = (typeof deniable)[number];

/** A rule of an operator about some clients. */
export interface ClientRule {
  /** The place of the rule in the settings, for the log: `clients[0]`. */
  readonly name: string;
  /** Tests a User-Agent; undefined for a rule about all. */
  readonly userAgent: ((userAgent: string) => boolean) | undefined;
  /** Tests the address of a client; undefined for a rule about all networks. */
  readonly network: ((address: string) => boolean) | undefined;
  readonly lacks: readonly Deniable[];
  /** The platform of these clients, whatever their User-Agent says. */
  readonly platform: Platform | undefined;
  /** The form that they get; undefined for the route's. */
  readonly format: Pin | undefined;
}

/** The rule that a request falls under. */
export interface AppliedRule {
  /** undefined if none matches. */
  readonly rule: ClientRule | undefined;
  /** True if another address could lead to another rule: no shared cache may keep the response. */
  readonly byNetwork: boolean;
}

/** Finds the first rule that matches. */
export function ruleFor(rules: readonly ClientRule[], userAgent: string, address: string): AppliedRule {
  let byNetwork = false;
  for (const rule of rules) {
    if (rule.userAgent && !rule.userAgent(userAgent)) continue;
    if (rule.network) byNetwork = true;
    if (!rule.network || rule.network(address)) return { rule, byNetwork };
  }
  return { rule: undefined, byNetwork };
}

/**
 * A word for the networks of the rules that an address is in: addresses with the same word fall under the same rules.
 * @returns undefined if no rule has a network.
 */
export function networkClasses(rules: readonly ClientRule[]): ((address: string) => string) | undefined {
  const networks = [...new Set(rules.flatMap(({ network }) => network ?? []))];
  if (networks.length === 0) return undefined;
  return (address) => networks.map((isInside) => (isInside(address) ? '1' : '0')).join('');
}

/** The profile of a client without what its rule denies. */
export function deniedProfile(profile: ClientProfile, lacks: ReadonlySet<Deniable>): ClientProfile {
  const denied = [...lacks].flatMap((each) => (ofIndexes.has(each) ? [] : [[each, false] as const]));
  return { ...profile, ...Object.fromEntries(denied) };
}

/** Lacks that are about indexes, and in no client's profile. */
const ofIndexes: ReadonlySet<Deniable> = new Set(['index', 'attestations']);

const ociTypes: readonly string[] = [mediaTypes.ociManifest, mediaTypes.ociIndex];
const allTypes = [mediaTypes.schema2, mediaTypes.dockerList, ...ociTypes, ...schema1Types];

/** The capabilities without the types that a rule denies. A client with a wildcard takes all the rest. */
export function deniedCapabilities(
  capabilities: ClientCapabilities,
  lacks: ReadonlySet<Deniable>,
): ClientCapabilities {
  // A client that only attestations disturb keeps its wildcard.
  if ([...lacks].every((each) => each === 'attestations')) return capabilities;
  const denied = new Set([
    ...(lacks.has('index') ? indexTypes : []),
    ...(lacks.has('oci') ? ociTypes : []),
    ...(lacks.has('schema1') ? schema1Types : []),
  ]);
  const types = capabilities.wildcard
    ? new Map(allTypes.map((type) => [type, 1] as const))
    : new Map(capabilities.types);
  for (const type of denied) types.delete(type);
  // A client that named only what it lacks gets what every client since 2016 reads.
  if (types.size === 0) types.set(mediaTypes.schema2, 1);
  return { ...capabilities, types, wildcard: false };
}

/** The limits for a client of a rule: those of the route, and what the rule denies. */
export function limitsWith(limits: TagLimits, rule: ClientRule | undefined, client: Client): TagLimits {
  if (rule === undefined) return limits;
  return {
    ...limits,
    noAttestations: limits.noAttestations || rule.lacks.includes('attestations'),
    noZstd: limits.noZstd || (rule.lacks.includes('zstd') && choosesZstd(client)),
  };
}

/**
 * Whether a client chooses the zstd image of an index that has a gzip image, too, wherever it stands (containers/image,
 * internal/manifest/oci_index.go, `isPreferredOver`). Other clients take the first image of their platform.
 */
function choosesZstd({ rows }: Client): boolean {
  return rows.some((row) => containersImage.some(({ program }) => program === row.program));
}

/** The capabilities of a client for a request by tag, within limits. */
export function limitedCapabilities(capabilities: ClientCapabilities, limits: TagLimits): ClientCapabilities {
  if (!Object.values(limits).includes(true)) return capabilities;
  return { ...capabilities, zstd: capabilities.zstd && !limits.noZstd, limits };
}
