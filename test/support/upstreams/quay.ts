import { mediaTypes } from '../../../converters/media-types.ts';
import { behind, resourceOf } from './behind.ts';
import { unauthorized } from './docker-hub.ts';
import { type Habit, stopAll } from './habit.ts';
import { startLoopback } from './loopback.ts';
import { redirectBlob, startStorageHost } from './storage-host.ts';
import { createTokenService } from './token-service.ts';

/**
 * Quay: a tag comes as schema 1 when Accept does not name the manifest's type word for word; a wildcard does not
 * count. A digest is never converted (quay/quay, endpoints/v2/manifest.py, _rewrite_schema_if_necessary). docker-
 * registry 2.8.2 does the same for tags, but answers 404 where Quay makes schema 1 of OCI. Tokens come from its own
 * host, blobs by 302.
 */
export const quay: Habit = {
  name: 'Quay',
  async start(registryUrl) {
    const real = behind(registryUrl);
    const storage = await startStorageHost(real);
    const tokens = createTokenService({ realm: () => `${registry.url}/v2/auth`, service: 'quay.io' });

    const registry = await startLoopback(async (question) => {
      if (question.path.startsWith('/v2/auth?')) return tokens.answer(question);
      const resource = resourceOf(question.path);
      const challenge = tokens.refusal(question.headers.authorization, resource?.repository);
      if (challenge) return unauthorized(challenge);
      if (resource?.kind === 'manifests') {
        const byDigest = resource.reference.includes(':');
        return real.ask(byDigest ? { ...question, headers: { accept: everyType } } : question);
      }
      if (resource?.kind !== 'blobs') return real.ask(question);
      const signed = storage.sign(question.method, resource.repository, resource.reference);
      return redirectBlob(real, question, signed, 302);
    });
    const { server } = storage;
    const stop = () => stopAll([registry, server], real);
    return { url: registry.url, registry, storage: server, tokens, stop };
  },
};

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;
const everyType = [schema1Signed, schema2, dockerList, ociManifest, ociIndex].join(', ');
