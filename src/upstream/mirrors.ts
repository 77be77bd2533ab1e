import { RegistryError } from '../errors.ts';
import type { Credential } from './auth/credential.ts';
import { discard } from './body.ts';
import type { UpstreamAnswer, UpstreamClient, UpstreamRequest } from './client.ts';

/** One of several registries that hold the same. */
export interface Mirror {
  readonly client: UpstreamClient;
  /** The proxy's own login there: no other registry is shown it. */
  readonly credential: Credential;
}

/** For how long one that has failed is asked last: else each request of a pull would wait for it. */
const restMs = 30_000;

/**
 * Several registries as one: the first is asked, and the next one where it fails, by no connection, no answer in
 * time, or a status of 500 and more. What it refuses (401, 403, 404, 429) is refused: another one's answer would be a
 * way around it.
 * @param clock milliseconds since the epoch.
 */
export function createMirrors(mirrors: readonly [Mirror, ...Mirror[]], clock: () => number): UpstreamClient {
  const restsUntil = new Map<Mirror, number>();
  const isResting = (mirror: Mirror) => clock() < (restsUntil.get(mirror) ?? 0);

  async function ask(mirror: Mirror, request: UpstreamRequest): Promise<UpstreamAnswer> {
    const { client, credential } = mirror;
    // Who asks in nobody's name wants to know what is public.
    const own = request.credential.kind === 'none' ? request.credential : credential;
    try {
      const answer = await client.request({ ...request, credential: own });
      if (answer.response.status >= 500) restsUntil.set(mirror, clock() + restMs);
      else restsUntil.delete(mirror);
      return answer;
    } catch (error) {
      if (isFailing(error)) restsUntil.set(mirror, clock() + restMs);
      throw error;
    }
  }

  async function askInTurn(
    [mirror, ...others]: readonly Mirror[],
    request: UpstreamRequest,
  ): Promise<UpstreamAnswer> {
    if (mirror === undefined) throw new TypeError('there is no registry to ask');
    if (others.length === 0) return ask(mirror, request);
    try {
      const answer = await ask(mirror, request);
      if (answer.response.status < 500) return answer;
      await discard(answer.response);
    } catch (error) {
      if (!isFailing(error)) throw error;
    }
    return askInTurn(others, request);
  }

  return {
    id: mirrors.map(({ client }) => client.id).join(' '),
    request: (request) => {
      // Nothing is written to one because another is away, and a body cannot be sent twice.
      if (request.method !== 'GET' && request.method !== 'HEAD') return ask(mirrors[0], request);
      const resting = mirrors.filter(isResting);
      const awake = mirrors.filter((each) => !resting.includes(each));
      return askInTurn([...awake, ...resting], request);
    },
  };
}

function isFailing(error: unknown): boolean {
  return (
    error instanceof RegistryError &&
    ['UPSTREAM_UNREACHABLE', 'UPSTREAM_TIMEOUT', 'UPSTREAM_ANSWER'].includes(error.code)
  );
}
