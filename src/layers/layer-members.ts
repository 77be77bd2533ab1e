import type { Digest } from '../../converters/digest.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { joinKey } from '../cache/key.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock } from '../clock.ts';
import { fetchBlob } from '../upstream/api/blobs.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { ApiContext } from '../upstream/request-context.ts';

/**
 * The layers that upstream has in each repository. A manifest may name a layer that its repository does not have:
 * docker-registry takes one with `urls` (distribution 2.8, registry/storage/schema2manifesthandler.go, `verifyManifest`).
 * Facts of the layer that another repository has told, and its bytes in a store, are not for the readers of this one.
 */
export interface LayerMembers {
  /** Remembers that upstream gives a layer, if the request for it succeeds. @throws as `request`. */
  during<Result>(repository: RepositoryName, digest: Digest, request: () => Promise<Result>): Promise<Result>;
  /**
   * Asks upstream for the first byte of a layer, unless it gave the layer a moment ago. Registries answer HEAD in many
   * ways (`headBlob`).
   * @throws RegistryError as `fetchBlob`.
   */
  prove(repository: RepositoryName, digest: Digest, context: ApiContext): Promise<void>;
}

export interface LayerMembersOptions {
  readonly client: UpstreamClient;
  readonly memory: MemoryBudget;
  readonly clock: Clock;
  /** As in `RepositoryVersions`: what was true before a write of a client may not be true after it. */
  readonly version: (repository: RepositoryName) => string;
}

/** Milliseconds for which a layer counts as present: others may delete it at the registry itself. */
const presentMs = 30_000;

export function createLayerMembers({ client, memory, clock, version }: LayerMembersOptions): LayerMembers {
  /** The end of the knowledge by the clock. */
  const present = memory.table<number>('layer-facts');

  async function during<Result>(
    repository: RepositoryName,
    digest: Digest,
    request: () => Promise<Result>,
  ): Promise<Result> {
    const key = joinKey(version(repository), digest);
    const result = await request();
    present.set(key, clock() + presentMs);
    return result;
  }

  return {
    during,
    async prove(repository, digest, context) {
      const until = present.get(joinKey(version(repository), digest));
      if (until !== undefined && clock() < until) return;
      const options = { range: { first: 0, last: 0 }, what: 'layer' } as const;
      const { body } = await during(repository, digest, () =>
        fetchBlob(client, repository, digest, context, options),
      );
      // Where the registry ignores Range, the rest of the layer is not read.
      await body.cancel();
    },
  };
}
