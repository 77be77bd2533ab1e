import { behind, resourceOf } from './behind.ts';
import { unauthorized } from './docker-hub.ts';
import { type Habit, stopAll } from './habit.ts';
import { startLoopback } from './loopback.ts';
import { redirectBlob, startStorageHost } from './storage-host.ts';
import { createTokenService } from './token-service.ts';

/**
 * Amazon's public registry. All repositories have one scope, `aws`; Docker does not request it, and gets an equally
 * good token. Every HEAD of a blob gets 401 with any token (distribution/distribution#4383, buildbuddy-
 * io/buildbuddy#12566).
 */
export const ecrPublic: Habit = {
  name: 'ECR Public',
  async start(registryUrl) {
    const real = behind(registryUrl);
    const storage = await startStorageHost(real);
    const realm = () => `${registry.url}/token/`;
    const tokens = createTokenService({ realm, service: 'public.ecr.aws' });
    const registry = await startLoopback(async (question) => {
      if (question.path.startsWith('/token/')) return tokens.answer(question);
      const resource = resourceOf(question.path);
      if (tokens.refusal(question.headers.authorization)) return unauthorized(tokens.challenge('aws'));
      if (resource?.kind !== 'blobs') return real.ask(question);
      if (question.method === 'HEAD') return unauthorized(tokens.challenge('aws'));
      return redirectBlob(real, question, storage.sign('GET', resource.repository, resource.reference));
    });
    const { server } = storage;
    const stop = () => stopAll([registry, server], real);
    return { url: registry.url, registry, storage: server, tokens, stop };
  },
};
