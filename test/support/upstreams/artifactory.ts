import { behind, resourceOf, withHeaders } from './behind.ts';
import { unauthorized } from './docker-hub.ts';
import { basicOf, type Habit, type Login, stopAll } from './habit.ts';
import { type Question, type Reply, specReply, startLoopback } from './loopback.ts';
import { redirectBlob } from './storage-host.ts';
import { createTokenService } from './token-service.ts';

const login: Login = { username: 'reader', password: 'AKCp5-of-Artifactory' };

/** The path of a repository of Artifactory without its own host name. */
const base = '/artifactory/api/docker/docker-local';
const store = '/artifactory/store';

/**
 * Artifactory: below a path, with two challenges in one header. Every manifest is `application/json` (up to 4.4.2,
 * moby/moby#19400, concourse/docker-image-resource#40). Blobs have a Location without a host, which requires the login
 * again.
 */
export const artifactory: Habit = {
  name: 'Artifactory',
  login,
  async start(registryUrl) {
    const real = behind(registryUrl);
    const realm = () => `${registry.url}${base}/v2/token`;
    const tokens = createTokenService({ login, realm, service: 'artifactory.test' });

    const refusal = (authorization: string | undefined, repository?: string): string | undefined => {
      if (authorization === basicOf(login)) return undefined;
      const bearer = tokens.refusal(authorization, repository);
      return bearer && `Basic realm="Artifactory Realm", ${bearer}`;
    };

    const registry = await startLoopback(async (question) => {
      if (question.path.startsWith(`${base}/v2/token?`)) return tokens.answer(question);
      const stored = question.path.startsWith(store);
      const path = question.path.slice((stored ? store : base).length);
      const resource = resourceOf(path);
      const challenge = refusal(question.headers.authorization, resource?.repository);
      if (challenge) return unauthorized(challenge);
      if (stored) return real.ask({ ...question, path });
      if (!question.path.startsWith(`${base}/v2/`)) return specReply(404, 'NOT_FOUND', 'not a registry');
      if (resource?.kind === 'manifests') return asJson(question, await real.ask({ ...question, path }));
      if (resource?.kind !== 'blobs') return real.ask({ ...question, path });
      return redirectBlob(real, { ...question, path }, `${store}${path}`, 302);
    });
    return { url: `${registry.url}${base}`, registry, tokens, stop: () => stopAll([registry], real) };
  },
};

function asJson({ headers }: Question, reply: Reply): Reply {
  if (!/application\/json|\*\/\*/.test([headers.accept ?? '*/*'].flat().join(','))) {
    return specReply(406, 'NOT_ACCEPTABLE', 'only application/json is to be had here');
  }
  return reply.status === 200 ? withHeaders(reply, { 'Content-Type': 'application/json' }) : reply;
}
