import { behind, resourceOf, withHeaders } from './behind.ts';
import { type Habit, type Login, stopAll, type Upstream } from './habit.ts';
import { type LoopbackServer, type Question, type Reply, specReply, startLoopback } from './loopback.ts';
import { redirectBlob, startStorageHost } from './storage-host.ts';
import { createTokenService } from './token-service.ts';

export interface DockerHubOptions {
  /** The account that may pull; without one all is public, and still requires a token. */
  readonly login?: Login;
  /** The number of pulls before 429. */
  readonly limit?: number;
}

/**
 * Docker Hub: tokens of 300 s from a second host, blobs by 307 from a third, and counted pulls. A pull is a GET of a
 * manifest. A HEAD is not a pull, and gets its response even without pulls left (docs.docker.com, "Usage and limits").
 */
export function dockerHub({ login, limit = 100_000 }: DockerHubOptions = {}): Habit {
  const name = login ? 'Docker Hub with a login' : 'Docker Hub';
  const start = (registryUrl: string) => startDockerHub(registryUrl, limit, login);
  return { name, countsPulls: true, start, ...(login ? { login } : {}) };
}

async function startDockerHub(registryUrl: string, limit: number, login?: Login): Promise<Upstream> {
  const real = behind(registryUrl);
  const storage = await startStorageHost(real);
  const tokens = createTokenService({
    ...(login ? { login } : {}),
    realm: () => `${tokenServer.url}/token`,
    service: 'registry.docker.io',
  });
  const tokenServer = await startLoopback(tokens.answer);
  let spent = 0;

  /** Both numbers are for six hours. */
  const counted = (reply: Reply) =>
    withHeaders(reply, {
      'ratelimit-limit': `${limit};w=21600`,
      'ratelimit-remaining': `${Math.max(0, limit - spent)};w=21600`,
      'docker-ratelimit-source': '192.0.2.1',
    });

  async function manifest(question: Question): Promise<Reply> {
    if (question.method === 'GET' && spent >= limit) {
      const message = 'You have reached your pull rate limit.';
      return counted(specReply(429, 'TOOMANYREQUESTS', message, { 'Retry-After': '3600' }));
    }
    const reply = await real.ask(question);
    if (reply.status !== 200) return reply;
    if (question.method === 'GET') spent += 1;
    return counted(reply);
  }

  const registry = await startLoopback(async (question) => {
    const resource = resourceOf(question.path);
    const challenge = tokens.refusal(question.headers.authorization, resource?.repository);
    if (challenge) return unauthorized(challenge);
    if (resource?.kind === 'manifests') return manifest(question);
    if (resource?.kind !== 'blobs') return real.ask(question);
    const signed = storage.sign(question.method, resource.repository, resource.reference);
    return redirectBlob(real, question, signed);
  });
  const { server } = storage;
  const stop = () => stopAll([registry, tokenServer, server], real);
  return { url: registry.url, registry, storage: server, tokenServer, tokens, stop };
}

export function unauthorized(challenge: string): Reply {
  return specReply(401, 'UNAUTHORIZED', 'authentication required', {
    'WWW-Authenticate': challenge,
    'Docker-Distribution-Api-Version': 'registry/2.0',
  });
}

/** The digests of the manifests that a GET returned: each is a pull. */
export function pullsSpent({ registry }: { readonly registry: LoopbackServer }): string[] {
  return getsOfManifests(registry).flatMap(({ status, digest = '' }) => (status === 200 ? [digest] : []));
}

export function getsOfManifests({ asked }: LoopbackServer) {
  return asked.filter(({ method, path }) => method === 'GET' && resourceOf(path)?.kind === 'manifests');
}
