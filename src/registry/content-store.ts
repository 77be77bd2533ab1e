import { LRUCache } from 'lru-cache';
import { type Digest, verifyDigest } from '../../converters/digest.ts';
import { limits } from '../../converters/limits.ts';
import type { Compression } from '../../converters/media-types.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import type { Cache, CacheEntry } from '../cache/cache.ts';
import { joined } from '../cache/key.ts';
import type { Background } from '../concurrency/background.ts';
import { createSingleFlight } from '../concurrency/single-flight.ts';
import { Failure } from '../errors.ts';
import { sniffLayer } from '../layers/probe.ts';
import type { StoredForm } from '../negotiation/negotiate.ts';
import { cameFrom, upstreamPlace } from '../request/stats.ts';
import { widestAccept } from '../upstream/accept.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import { discard, readBounded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { failureOf } from '../upstream/error-response.ts';
import type { Caller } from '../upstream/request-context.ts';
import { formOf } from './manifest-info.ts';
import { isUnsigned, verifyManifest } from './verify-manifest.ts';

export interface StoredManifest {
  readonly bytes: Uint8Array;
  /** As upstream gave it; a hint and no more. */
  readonly contentType: string;
}

/**
 * Content by digest, verified. What is remembered here is given to whoever asks: callers prove their right to it
 * first (`Resolver`).
 */
export interface Content {
  /** @throws Failure; ConversionError DIGEST_MISMATCH. */
  manifest(repository: RepositoryName, digest: Digest, caller: Caller): Promise<StoredManifest>;
  /** Remembers a manifest that came along with another answer: verified. */
  found(repository: RepositoryName, digest: Digest, manifest: StoredManifest, caller: Caller): Promise<void>;
  /** Whether the manifest is remembered, so that reading it costs upstream nothing. */
  has(repository: RepositoryName, digest: Digest, caller: Caller): Promise<boolean>;
  /** What the manifest is, without more reading than that takes. @throws as `manifest`; ConversionError. */
  form(repository: RepositoryName, digest: Digest, caller: Caller): Promise<StoredForm>;
  /** A small blob, like a config. @throws Failure; ConversionError DIGEST_MISMATCH. */
  blob(repository: RepositoryName, digest: Digest, caller: Caller): Promise<Uint8Array>;
  /** Remembers a config that upstream does not have. */
  keep(repository: RepositoryName, digest: Digest, bytes: Uint8Array, caller: Caller): Promise<void>;
  /** A config that was made, if it is remembered. */
  kept(repository: RepositoryName, digest: Digest, caller: Caller): Promise<Uint8Array | undefined>;
  /** How a layer is packed, by a Range request for its first bytes. @throws Failure. */
  sniff(repository: RepositoryName, digest: Digest, caller: Caller): Promise<Compression>;
}

const deadlineMs = 60_000;

/** What a form costs in memory, and each entry of an index. */
const bytesOf = { form: 400, entry: 250 };

export interface ContentOptions {
  readonly client: UpstreamClient;
  readonly cache: Cache;
  /** Memory for the forms that are remembered. */
  readonly formBytes: number;
  readonly background: Background;
  /** Schema 1 that upstream stores without a signature is not given to anyone, in whatever form. */
  readonly refusesUnsigned: boolean;
}

export function createContent(options: ContentOptions): Content {
  const { client, cache, formBytes, background, refusesUnsigned } = options;
  // Reading the entries of an index again for each request would cost more than the answer.
  const forms = new LRUCache<string, StoredForm>({
    maxSize: formBytes,
    sizeCalculation: ({ entries }) => bytesOf.form + (entries?.length ?? 0) * bytesOf.entry,
  });
  const flights = createSingleFlight<CacheEntry>(deadlineMs, background);

  const manifestKey = (repository: string, digest: string) =>
    joined('manifest', client.id, repository, digest);
  const blobKey = (repository: string, digest: string) => joined('blob', client.id, repository, digest);
  const madeKey = (repository: string, digest: string) =>
    joined('made-config', client.id, repository, digest);

  async function remembered(
    key: string,
    { budget, credential }: Caller,
    fetch: () => Promise<CacheEntry>,
  ): Promise<CacheEntry> {
    const known = await cache.get(key, budget);
    if (known) return known;
    cameFrom(budget.account, upstreamPlace);
    const start = async () => {
      const entry = await fetch();
      await cache.set(key, entry, budget);
      return entry;
    };
    const late = () => new Failure('UPSTREAM_TIMEOUT', 'Upstream took too long to answer. Try again.');
    return flights.join({ key, whose: credentialKey(credential), start, late }, undefined);
  }

  async function fetchManifest(
    repository: RepositoryName,
    digest: Digest,
    caller: Caller,
  ): Promise<CacheEntry> {
    const { response } = await client.request({
      method: 'GET',
      path: `/v2/${repository}/manifests/${digest}`,
      repository,
      credential: caller.credential,
      budget: caller.budget,
      headers: { accept: widestAccept },
    });
    // A fat generic manifest may name children that the registry holds as blobs only (formats.md, section 1).
    if (response.status === 404) {
      await discard(response);
      return {
        facts: { contentType: '' },
        body: await fetchBlob(repository, digest, caller, 'MANIFEST_UNKNOWN'),
      };
    }
    if (!response.ok)
      throw await failureOf(response, `manifest ${digest} of ${repository}`, 'MANIFEST_UNKNOWN');
    const contentType = response.headers.get('content-type') ?? '';
    const body = await readBounded(response, limits.documentBytes, 'the manifest');
    verifyManifest(body, digest, contentType);
    return { facts: { contentType }, body };
  }

  async function fetchBlob(
    repository: RepositoryName,
    digest: Digest,
    caller: Caller,
    unknown: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN',
  ): Promise<Uint8Array> {
    const { response } = await client.request({
      method: 'GET',
      path: `/v2/${repository}/blobs/${digest}`,
      repository,
      credential: caller.credential,
      budget: caller.budget,
    });
    if (!response.ok) throw await failureOf(response, `blob ${digest} of ${repository}`, unknown);
    const body = await readBounded(response, limits.documentBytes, 'the blob');
    verifyDigest(body, digest, 'blob');
    return body;
  }

  async function manifest(
    repository: RepositoryName,
    digest: Digest,
    caller: Caller,
  ): Promise<StoredManifest> {
    const key = manifestKey(repository, digest);
    const { facts, body } = await remembered(key, caller, () => fetchManifest(repository, digest, caller));
    const contentType = String(facts.contentType);
    if (refusesUnsigned && isUnsigned(body, contentType)) throw unsigned(repository, digest);
    return { bytes: body, contentType };
  }

  return {
    manifest,

    async found(repository, digest, { bytes, contentType }, { budget }) {
      cameFrom(budget.account, upstreamPlace);
      await cache.set(manifestKey(repository, digest), { facts: { contentType }, body: bytes }, budget);
    },

    async has(repository, digest, { budget }) {
      return (await cache.get(manifestKey(repository, digest), budget)) !== undefined;
    },

    async form(repository, digest, caller) {
      const key = joined(repository, digest);
      const known = forms.get(key);
      if (known) return known;
      const { bytes, contentType } = await manifest(repository, digest, caller);
      const form = formOf(bytes, contentType);
      forms.set(key, form);
      return form;
    },

    async blob(repository, digest, caller) {
      const key = blobKey(repository, digest);
      const fetch = async () => ({
        facts: {},
        body: await fetchBlob(repository, digest, caller, 'BLOB_UNKNOWN'),
      });
      return (await remembered(key, caller, fetch)).body;
    },

    async keep(repository, digest, bytes, { budget }) {
      await cache.set(madeKey(repository, digest), { facts: {}, body: bytes }, budget);
    },

    async kept(repository, digest, { budget }) {
      return (await cache.get(madeKey(repository, digest), budget))?.body;
    },

    async sniff(repository, digest, caller) {
      const key = joined('compression', client.id, repository, digest);
      const fetch = async () => ({
        facts: { compression: await sniffLayer(client, repository, digest, caller) },
        body: new Uint8Array(),
      });
      return (await remembered(key, caller, fetch)).facts.compression as Compression;
    },
  };
}

function unsigned(repository: RepositoryName, digest: Digest): Failure {
  return new Failure(
    'UNSIGNED',
    `${repository}@${digest} is stored as schema 1 without a signature, and this proxy is set to refuse such images ` +
      '(REGSHIFT_UNSIGNED_SCHEMA1). Push the image again with a newer client.',
  );
}
