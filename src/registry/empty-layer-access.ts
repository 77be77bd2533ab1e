import { emptyLayer } from '../../converters/formats/schema1/empty-layer.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { joinKey } from '../cache/key.ts';
import { createLru } from '../cache/lru.ts';
import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import { createSingleFlight } from '../concurrency/single-flight.ts';
import { RegistryError } from '../errors.ts';
import { findBlob } from '../upstream/api/blobs.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import { isAbsence } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import { proveReadAccess, type ReadAccess, type ReadAccessParts } from './read-access.ts';
import type { RepositoryVersions } from './repository-versions.ts';

export interface EmptyLayerOptions extends ReadAccessParts {
  readonly versions: RepositoryVersions;
  /** Seconds for which a proof may be used again. */
  readonly ttl: number;
  readonly clock: Clock;
  readonly background: Background;
}

/**
 * Proves the right to the empty layer of a repository. Converted schema 1 manifests name it, and upstream need not have
 * it. Its bytes are no secret, but regshift must not say that a repository has it if the caller may not read the
 * repository, or if it does not exist: Docker 1.7 to 1.9 and `skopeo copy --format v2s1` push no layer that a HEAD
 * finds.
 */
export interface EmptyLayerAccess {
  /**
   * Proves that upstream has the layer, or that the caller may read an image of the repository. Docker up to 1.9
   * requests the layer once for every entry of a manifest: upstream is asked once per TTL and credential.
   * @throws RegistryError as upstream refuses: BLOB_UNKNOWN where neither is so.
   */
  prove(repository: RepositoryName, context: RequestContext): Promise<ReadAccess>;
}

const deadlineMs = 60_000;
const mostProofs = 10_000;

export function createEmptyLayerAccess(options: EmptyLayerOptions): EmptyLayerAccess {
  const { client, versions, ttl, clock, background } = options;
  const proofs = createLru<string, ReadAccess>(mostProofs);
  const flights = createSingleFlight<ReadAccess>(deadlineMs, background);

  async function proveAnew(repository: RepositoryName, context: RequestContext): Promise<ReadAccess> {
    const at = clock();
    try {
      return { ...(await findBlob(client, repository, emptyLayer.digest, context)), at };
    } catch (error) {
      const access = isAbsence(error) && (await proveReadAccess(options, repository, context));
      if (!access) throw error;
      return access;
    }
  }

  return {
    async prove(repository, context) {
      const state = versions.current(repository);
      const publicKey = joinKey(state, 'none');
      const key = joinKey(state, credentialKey(context.credential));
      for (const each of [publicKey, key]) {
        const known = proofs.get(each);
        if (known && clock() - known.at < ttl * 1000) return known;
      }
      const late = () =>
        new RegistryError('UPSTREAM_TIMEOUT', 'Upstream took too long to answer. Try again.');
      // Other requests wait for the proof too: it does not end with the client that asked first.
      const start = () => proveAnew(repository, { ...context, signal: undefined });
      const access = await flights.join({ key, start, late }, context.signal);
      proofs.set(access.public ? publicKey : key, access);
      return access;
    },
  };
}
