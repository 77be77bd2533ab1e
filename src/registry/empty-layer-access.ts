import { emptyLayer } from '../../converters/formats/schema1/empty-layer.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { joinKey } from '../cache/key.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import { findBlob } from '../upstream/api/blobs.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import { isAbsence } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import { createSharedQuestions } from '../upstream/shared-questions.ts';
import type { AccessEpoch, AccessEpochs } from './access-epochs.ts';
import { proveReadAccess, type ReadAccess, type ReadAccessParts } from './read-access.ts';
import type { RepositoryVersions } from './repository-versions.ts';

export interface EmptyLayerOptions extends ReadAccessParts {
  readonly versions: RepositoryVersions;
  readonly epochs: AccessEpochs;
  /** The longest wait for work that requests share, in milliseconds (`sharedWorkMs`). */
  readonly deadlineMs?: number;
  /** Seconds for which a proof may be used again. */
  readonly ttl: number;
  readonly clock: Clock;
  readonly background: Background;
  readonly memory: MemoryBudget;
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

interface Proof extends ReadAccess {
  readonly epoch: AccessEpoch;
}

export function createEmptyLayerAccess(options: EmptyLayerOptions): EmptyLayerAccess {
  const { client, versions, epochs, ttl, clock, background, memory } = options;
  const proofs = memory.table<Proof>('read-access');
  const flights = createSharedQuestions<Proof>(background, options.deadlineMs);

  async function proveAnew(repository: RepositoryName, context: RequestContext): Promise<ReadAccess> {
    const at = clock();
    try {
      return { ...(await findBlob(client, repository, emptyLayer.digest, context)), at };
    } catch (error) {
      const access = isAbsence(error) && (await proveReadAccess(options, repository, context));
      if (!access) throw error;
      return { public: access.public, at: access.at };
    }
  }

  const isFresh = ({ at, epoch }: Proof) => !epoch.hasEnded && clock() - at < ttl * 1000;

  return {
    async prove(repository, context) {
      const state = versions.current(repository);
      const whose = credentialKey(context.credential);
      const publicKey = joinKey(state, 'none');
      const key = joinKey(state, whose);
      for (const each of [publicKey, key]) {
        const known = proofs.get(each);
        if (known && isFresh(known)) return known;
      }
      const arrived = clock();
      const proof = await flights.join(
        {
          key,
          // Other requests wait for the proof too: it ends with the last of them.
          start: (abandoned) => {
            const signal = abandoned();
            return epochs.ask(repository, whose, () => proveAnew(repository, { ...context, signal }));
          },
          suits: ({ epoch, at }) => !epoch.hasEnded && at + ttl * 1000 >= arrived,
        },
        context.signal,
      );
      if (!proof.epoch.hasEnded) proofs.set(proof.public ? publicKey : key, proof);
      return proof;
    },
  };
}
