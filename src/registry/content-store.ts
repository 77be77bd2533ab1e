import type { Digest } from '../../converters/digest.ts';
import { namedModel } from '../../converters/fetch.ts';
import type { Model } from '../../converters/model.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import type { CacheEntry } from '../cache/cache.ts';
import { joinKey } from '../cache/key.ts';
import { RegistryError } from '../errors.ts';
import { unread } from '../layers/unread.ts';
import type { ManifestInfo } from '../negotiation/negotiate.ts';
import { type ReadManifest, readManifestOnce } from '../request/last-manifest.ts';
import { recordSource, upstreamSource } from '../request/stats.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import { createSharedQuestions } from '../upstream/shared-questions.ts';
import {
  createLayerCompressions,
  type LayerCompressions,
  type LayerCompressionsOptions,
} from './layer-compressions.ts';
import { manifestInfoOf } from './manifest-info.ts';
import { readVerifiedBlob, readVerifiedManifest, type VerifiedReadsOptions } from './verified-reads.ts';
import { isUnsigned } from './verify-manifest.ts';

export interface StoredManifest {
  readonly bytes: Uint8Array;
  /** As upstream sent it; a hint only. */
  readonly contentType: string;
}

/**
 * Verified content by digest. Cached content is returned without asking upstream: callers prove the right to it first
 * (`Resolver`).
 */
export interface ContentStore extends LayerCompressions {
  /** Reads a stored manifest. @throws RegistryError; ConversionError DIGEST_MISMATCH. */
  getManifest(repository: RepositoryName, digest: Digest, context: RequestContext): Promise<StoredManifest>;
  /**
   * Reads a stored manifest into the model. @throws as `getManifest`; ConversionError.
   * @param hint the type of a body that fits two dialects; by default the Content-Type of upstream.
   */
  getModel(
    repository: RepositoryName,
    digest: Digest,
    context: RequestContext,
    hint?: string,
  ): Promise<Model>;
  /** Caches a verified manifest that came with another response. */
  putManifest(
    repository: RepositoryName,
    digest: Digest,
    manifest: StoredManifest,
    context: RequestContext,
  ): Promise<void>;
  /** Whether the manifest is cached, so that reading it costs upstream nothing. */
  hasManifest(repository: RepositoryName, digest: Digest, context: RequestContext): Promise<boolean>;
  /** Facts of a manifest that negotiation needs. @throws as `getManifest`; ConversionError. */
  getManifestInfo(repository: RepositoryName, digest: Digest, context: RequestContext): Promise<ManifestInfo>;
  /** Reads a small blob, like a config. @throws RegistryError; ConversionError DIGEST_MISMATCH. */
  getBlob(repository: RepositoryName, digest: Digest, context: RequestContext): Promise<Uint8Array>;
  /** Caches a config that upstream does not have. */
  putDerivedConfig(
    repository: RepositoryName,
    digest: Digest,
    bytes: Uint8Array,
    context: RequestContext,
  ): Promise<void>;
  /** The config that a conversion made, if it is cached. */
  getDerivedConfig(
    repository: RepositoryName,
    digest: Digest,
    context: RequestContext,
  ): Promise<Uint8Array | undefined>;
}

export interface ContentStoreOptions extends LayerCompressionsOptions, VerifiedReadsOptions {
  /** Refuses schema 1 that upstream stores without a signature, whatever form it would be sent in. */
  readonly refusesUnsigned: boolean;
}

export function createContentStore(options: ContentStoreOptions): ContentStore {
  const { client, cache, turn, refusesUnsigned } = options;
  // Reading the entries of an index again for each request would cost more than the response.
  const infos = options.memory.table<ManifestInfo>('manifest-facts');
  const flights = createSharedQuestions<CacheEntry>(options.background, options.deadlineMs);

  const manifestKey = (repository: string, digest: string) =>
    joinKey('manifest', client.id, repository, digest);
  const blobKey = (repository: string, digest: string) => joinKey('blob', client.id, repository, digest);
  const derivedKey = (repository: string, digest: string) =>
    joinKey('made-config', client.id, repository, digest);

  async function cached(
    key: string,
    { budget, credential, signal }: RequestContext,
    fetch: (signal: AbortSignal) => Promise<CacheEntry>,
    refuse?: () => void,
  ): Promise<CacheEntry> {
    const known = await cache.get(key, budget);
    if (known) return known;
    refuse?.();
    recordSource(budget.stats, upstreamSource);
    // Other clients may wait for the content too: the work ends with the last of them.
    const start = async (abandoned: () => AbortSignal) => {
      const entry = await fetch(abandoned());
      await cache.set(key, entry, budget);
      return entry;
    };
    return flights.join({ key, credential: credentialKey(credential), start }, signal);
  }

  async function manifest(
    repository: RepositoryName,
    digest: Digest,
    context: RequestContext,
  ): Promise<StoredManifest> {
    const key = manifestKey(repository, digest);
    const fetch = (signal: AbortSignal) =>
      readVerifiedManifest(options, repository, digest, { ...context, signal });
    const { facts, body } = await cached(key, context, fetch, () => {
      if (context.mayFetch?.(digest) === false) unread(`manifest ${digest}`);
    });
    const contentType = String(facts.contentType);
    if (refusesUnsigned) {
      await turn(body.length);
      if (isUnsigned(body, contentType)) throw unsigned(repository, digest);
    }
    await turn(body.length);
    return { bytes: body, contentType };
  }

  return {
    ...createLayerCompressions(options),
    getManifest: manifest,

    async getModel(repository, digest, context, hint) {
      const { bytes, contentType } = await manifest(repository, digest, context);
      return namedModel(readFor(context, bytes, hint ?? contentType).model(), { digest });
    },

    async putManifest(repository, digest, { bytes, contentType }, { budget }) {
      recordSource(budget.stats, upstreamSource);
      await cache.set(manifestKey(repository, digest), { facts: { contentType }, body: bytes }, budget);
    },

    async hasManifest(repository, digest, { budget }) {
      return (await cache.get(manifestKey(repository, digest), budget)) !== undefined;
    },

    async getManifestInfo(repository, digest, context) {
      const key = joinKey(repository, digest);
      const known = infos.get(key);
      if (known) return known;
      const { bytes, contentType } = await manifest(repository, digest, context);
      const info = manifestInfoOf(readFor(context, bytes, contentType));
      infos.set(key, info);
      return info;
    },

    async getBlob(repository, digest, context) {
      const key = blobKey(repository, digest);
      const fetch = async (signal: AbortSignal) => ({
        facts: {},
        body: await readVerifiedBlob(options, repository, digest, { ...context, signal }, 'BLOB_UNKNOWN'),
      });
      return (await cached(key, context, fetch)).body;
    },

    async putDerivedConfig(repository, digest, bytes, { budget }) {
      await cache.set(derivedKey(repository, digest), { facts: {}, body: bytes }, budget);
    },

    async getDerivedConfig(repository, digest, { budget }) {
      return (await cache.get(derivedKey(repository, digest), budget))?.body;
    },
  };
}

function readFor({ lastManifest }: RequestContext, bytes: Uint8Array, contentType: string): ReadManifest {
  return lastManifest?.read(bytes, contentType) ?? readManifestOnce(bytes, contentType);
}

function unsigned(repository: RepositoryName, digest: Digest): RegistryError {
  return new RegistryError(
    'UNSIGNED',
    `${repository}@${digest} is stored as schema 1 without a signature, and this proxy is set to refuse such images ` +
      '(REGSHIFT_UNSIGNED_SCHEMA1). Push the image again with a newer client.',
  );
}
