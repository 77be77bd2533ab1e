const KiB = 1024;

/**
 * The tables of the process, each with its parts of REGSHIFT_CACHE_BYTES and the bytes that it has in any case. Tables
 * with 0 bytes can be empty without harm. The others spare the registry repeated requests within seconds, or limit
 * searches for made-up content. All routes share the bytes of a name.
 */
export const tableShares = {
  /** Manifests, configs, conversions, recipes, facts of layers. */
  content: { parts: 72, least: 0 },
  /** Whole responses, by everything in a request that they depend on. */
  responses: { parts: 16, least: 0 },
  /** Digests of references, with the right of a login to them. */
  'access-grants': { parts: 8, least: 256 * KiB },
  /** Logins that may read some image of a repository. */
  'read-access': { parts: 2, least: 64 * KiB },
  /** Facts of stored manifests that negotiation needs. */
  'manifest-facts': { parts: 3, least: 64 * KiB },
  /** Tokens of token servers, and the requests that they were got by. */
  tokens: { parts: 6, least: 128 * KiB },
  /** Facts of layers besides those in `content`: finding them reads a whole layer. */
  'layer-facts': { parts: 3, least: 64 * KiB },
  /** The last bytes of decompressed layers. */
  'layer-tails': { parts: 4, least: 256 * KiB },
  /** Blobs of the folder for layers whose bytes are known to be right. */
  'layer-proofs': { parts: 1, least: 0 },
  /** Images as API v1 names them. */
  'v1-images': { parts: 6, least: 128 * KiB },
  /** Lists of tags, for API v1. */
  'tag-lists': { parts: 2, least: 64 * KiB },
  /** Tags that clients requested lately. */
  'recent-tags': { parts: 1, least: 64 * KiB },
  /** Searches that found nothing, by requester. */
  searches: { parts: 2, least: 128 * KiB },
  /** Accounts whose pulls the registry counts. */
  'rate-limits': { parts: 1, least: 32 * KiB },
  /** Entries that Redis is known to have, and reports about it. */
  redis: { parts: 1, least: 32 * KiB },
} as const satisfies Readonly<Record<string, TableShare>>;

export interface TableShare {
  /** Of `allParts`. */
  readonly parts: number;
  /** Bytes, however small the budget is. */
  readonly least: number;
}

export type TableName = keyof typeof tableShares;

export const tableNames = Object.keys(tableShares) as TableName[];

/** The sum of the parts of all tables. */
export const allParts = 128;

/** Bytes by which all tables together may exceed a small REGSHIFT_CACHE_BYTES, at most. */
export const leastBytes = 1280 * KiB;
