import { behind, resourceOf } from './behind.ts';
import { unauthorized } from './docker-hub.ts';
import { type Habit, stopAll } from './habit.ts';
import { startLoopback } from './loopback.ts';
import { redirectBlob, startStorageHost } from './storage-host.ts';
import { createTokenService } from './token-service.ts';

/**
 * GitHub's registry: tokens from its own host, for anonymous clients too, and a ping whose challenge names a
 * repository that the client did not request. Blobs come from another host; the registry itself responds to HEAD of a
 * blob.
 */
export const ghcr: Habit = {
  name: 'GHCR',
  async start(registryUrl) {
    const real = behind(registryUrl);
    const storage = await startStorageHost(real);
    const tokens = createTokenService({ realm: () => `${registry.url}/token`, service: 'ghcr.io' });
    const registry = await startLoopback(async (question) => {
      if (question.path.startsWith('/token?')) return tokens.answer(question);
      const resource = resourceOf(question.path);
      const { authorization } = question.headers;
      if (tokens.refusal(authorization, resource?.repository)) {
        return unauthorized(tokens.challenge(`repository:${resource?.repository ?? 'user/image'}:pull`));
      }
      if (resource?.kind !== 'blobs' || question.method === 'HEAD') return real.ask(question);
      return redirectBlob(real, question, storage.sign('GET', resource.repository, resource.reference));
    });
    const { server } = storage;
    const stop = () => stopAll([registry, server], real);
    return { url: registry.url, registry, storage: server, tokens, stop };
  },
};
