import { type Behind, behind, resourceOf, withHeaders } from './behind.ts';
import { type Habit, stopAll } from './habit.ts';
import { type Question, type Reply, specReply, startLoopback } from './loopback.ts';

/** A registry without logins and redirects that answers requests for manifests in its own way. */
function plain(name: string, manifest: (question: Question, real: Behind) => Promise<Reply>): Habit {
  return {
    name,
    async start(registryUrl) {
      const real = behind(registryUrl);
      const registry = await startLoopback((question) =>
        resourceOf(question.path)?.kind === 'manifests' ? manifest(question, real) : real.ask(question),
      );
      return { url: registry.url, registry, stop: () => stopAll([registry], real) };
    },
  };
}

/** A registry like registry.redhat.io, or an S3 bucket (regclient/regclient#363, distribution/distribution#2384). */
export const withoutDigests = plain('a registry without Docker-Content-Digest', async (question, real) =>
  withHeaders(await real.ask(question), { 'Docker-Content-Digest': undefined, ETag: undefined }),
);

/**
 * A registry without HEAD: the distribution API of 2015 called HEAD of manifests optional, and containerd then sends
 * GET.
 */
export const withoutHead = plain('a registry without HEAD of manifests', async (question, real) =>
  question.method === 'HEAD'
    ? specReply(405, 'UNSUPPORTED', 'The operation is unsupported.', { Allow: 'GET' })
    : real.ask(question),
);
