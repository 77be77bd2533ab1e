import type { RepositoryName } from '../../converters/reference.ts';
import { joinKey } from '../cache/key.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import { hasCode } from '../errors.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import type { UpstreamClient } from '../upstream/client.ts';

/**
 * The time in which upstream has not refused a repository to a credential. A proof of access belongs to the epoch in
 * which its question began, and is valid until that epoch has ended. So a question from before a refusal proves
 * nothing after it, although its response may come later.
 */
export interface AccessEpoch {
  readonly hasEnded: boolean;
}

/** A fact about upstream that gives access, or names content. */
export interface AccessProof {
  /** Upstream gave it to a request without a credential. */
  readonly public: boolean;
}

export interface AccessEpochs {
  /**
   * Asks upstream a question.
   * @param whose the key of the credential (`credentialKey`).
   * @returns its proof with the epoch of the question: the epoch of everyone for a public proof, and else the epoch of
   *   this credential. @throws as `question`.
   */
  ask<Proof extends AccessProof>(
    repository: RepositoryName,
    whose: string,
    question: () => Promise<Proof>,
  ): Promise<Proof & { readonly epoch: AccessEpoch }>;
  /** Ends the epoch of a credential, or of everyone (`none`), because upstream has refused the repository to it. */
  end(repository: RepositoryName, whose: string): void;
  /**
   * Whether the refusal of a question of everyone would end anything: a public proof, or another pending question that
   * may prove something.
   */
  wouldEnd(repository: RepositoryName): boolean;
  /**
   * The same client, except that a final refusal of a read ends the epoch of its credential. The refusal of any read
   * counts, of a blob or a list too. Registries decide by the repository, and a response does not tell an exception: a
   * quota, a blocked image, a list with a right of its own (Azure Container Registry, `metadata/read`). An epoch that
   * ends for nothing costs one HEAD for each reference. Harbor refuses a vulnerable image with 412, which ends none.
   * The refusal of a HEAD does not count, because some registries refuse each HEAD.
   */
  watching(client: UpstreamClient): UpstreamClient;
}

interface Epoch {
  hasEnded: boolean;
  /** Questions without a response yet. */
  questions: number;
  hasProof: boolean;
}

/** @param memory an epoch for which it has no room ends, with its proofs: a refusal would not find it any more. */
export function createAccessEpochs(memory: MemoryBudget): AccessEpochs {
  const epochs = memory.table<Epoch>('access-grants', undefined, (epoch) => {
    epoch.hasEnded = true;
  });

  function begin(key: string): { readonly key: string; readonly epoch: Epoch } {
    const known = epochs.get(key);
    const epoch = known ?? { hasEnded: false, questions: 0, hasProof: false };
    epoch.questions += 1;
    if (known === undefined) epochs.set(key, epoch);
    return { key, epoch };
  }

  /** An epoch without a proof takes no memory: refused requests must not displace the epochs of others. */
  function leave({ key, epoch }: ReturnType<typeof begin>): void {
    epoch.questions -= 1;
    const isNeeded = epoch.hasProof || epoch.questions > 0;
    if (!isNeeded && epochs.peek(key) === epoch) epochs.delete(key);
  }

  function end(repository: RepositoryName, whose: string): void {
    epochs.delete(joinKey(repository, whose));
  }

  async function ask<Proof extends AccessProof>(
    repository: RepositoryName,
    whose: string,
    question: () => Promise<Proof>,
  ): Promise<Proof & { readonly epoch: AccessEpoch }> {
    // One of several mirrors may be asked without a login (upstream/mirrors.ts): its proof is public.
    const own = begin(joinKey(repository, whose));
    const everyone = whose === 'none' ? own : begin(joinKey(repository, 'none'));
    try {
      const proof = await question();
      const { epoch } = proof.public ? everyone : own;
      epoch.hasProof = true;
      return { ...proof, epoch };
    } finally {
      leave(own);
      if (everyone !== own) leave(everyone);
    }
  }

  function wouldEnd(repository: RepositoryName): boolean {
    const epoch = epochs.peek(joinKey(repository, 'none'));
    return epoch !== undefined && (epoch.hasProof || epoch.questions > 1);
  }

  return { ask, end, wouldEnd, watching: (client) => watch(client, end) };
}

function watch(client: UpstreamClient, end: AccessEpochs['end']): UpstreamClient {
  return {
    ...client,
    async request(request) {
      const { repository, credential, method, scopes } = request;
      // The right to write is another one.
      if (repository === undefined || method !== 'GET' || scopes !== undefined)
        return client.request(request);
      try {
        const answer = await client.request(request);
        if (answer.refused) end(repository, answer.anonymous ? 'none' : credentialKey(credential));
        return answer;
      } catch (error) {
        // The token server refuses the login, or its right to the repository.
        if (hasCode(error, 'UNAUTHORIZED')) end(repository, credentialKey(credential));
        throw error;
      }
    },
  };
}
