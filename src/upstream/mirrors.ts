import type { Clock } from '../clock.ts';
import { hasCode, type RegistryError } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import type { Credential } from './auth/credential.ts';
import { discard } from './body.ts';
import type { UpstreamClient, UpstreamRequest, UpstreamResponse } from './client.ts';

/** One of several registries with the same content. */
export interface Mirror {
  readonly client: UpstreamClient;
  /** regshift's own login there, which no other registry gets. */
  readonly credential: Credential;
}

/** Milliseconds for which a mirror that failed is asked last: else each request of a pull would wait for it. */
const restMs = 30_000;

export interface MirrorsOptions {
  readonly clock: Clock;
  /**
   * Whether a 404 is final, too, or the next mirror is asked: its answer then stands, also if it is a refusal or a failure,
   * because a mirror that has not everything says nothing by its 404.
   */
  readonly miss: 'stop' | 'next';
  readonly log: Log;
  /** The id of the route. */
  readonly route: string;
}

/**
 * Several registries as one. A mirror fails by no connection, no response in time, or a status of 500 and more; then
 * the next one is asked. A manifest that breaks off is requested once more (`fetchManifest`), from the next one. A refusal
 * of a mirror (401, 403, 429) is final: another mirror's response would be a way around it. Without a line in the log,
 * nobody would know that a spare registry is gone.
 */
export function createMirrors(
  mirrors: readonly [Mirror, ...Mirror[]],
  { clock, miss, log, route }: MirrorsOptions,
): UpstreamClient {
  const isFinal = ({ status }: Response) => status < 500 && (status !== 404 || miss === 'stop');
  const restsUntil = new Map<Mirror, number>();
  const isResting = (mirror: Mirror) => clock() < (restsUntil.get(mirror) ?? 0);

  function rest(mirror: Mirror, reason: string): void {
    if (!restsUntil.has(mirror)) {
      log('warn', 'a mirror fails, and the others are asked in its place', {
        route,
        registry: mirror.client.id,
        reason,
      });
    }
    restsUntil.set(mirror, clock() + restMs);
  }

  function wake(mirror: Mirror): void {
    if (restsUntil.delete(mirror))
      log('info', 'a mirror answers again', { route, registry: mirror.client.id });
  }

  async function send(mirror: Mirror, request: UpstreamRequest): Promise<UpstreamResponse> {
    const { client, credential } = mirror;
    // A request without a credential is to find out whether content is public.
    const own = request.credential.kind === 'none' ? request.credential : credential;
    try {
      const answer = await client.request({ ...request, credential: own });
      const { status } = answer.response;
      if (status >= 500) rest(mirror, `It answered ${status}.`);
      else wake(mirror);
      const onBroken = (error: unknown) => void (isFailing(error) && rest(mirror, error.message));
      // A mirror may want a login that the first registry does not want.
      return { ...answer, refused: answer.refused && mirror === mirrors[0], onBroken };
    } catch (error) {
      if (isFailing(error)) rest(mirror, error.message);
      throw error;
    }
  }

  async function sendInTurn(
    [mirror, ...others]: readonly Mirror[],
    request: UpstreamRequest,
  ): Promise<UpstreamResponse> {
    if (mirror === undefined) throw new TypeError('there is no registry to ask');
    if (others.length === 0) return send(mirror, request);
    try {
      const answer = await send(mirror, request);
      if (isFinal(answer.response)) return answer;
      await discard(answer.response);
    } catch (error) {
      if (!isFailing(error)) throw error;
    }
    return sendInTurn(others, request);
  }

  return {
    id: mirrors.map(({ client }) => client.id).join(' '),
    // The first mirror gets all writes.
    origins: mirrors[0].client.origins,
    turn: mirrors[0].client.turn,
    answerMs: mirrors[0].client.answerMs,
    request: (request) => {
      // The first mirror gets all writes, even while it fails: a body cannot be sent twice.
      if (request.method !== 'GET' && request.method !== 'HEAD') return send(mirrors[0], request);
      const resting = mirrors.filter(isResting);
      const awake = mirrors.filter((each) => !resting.includes(each));
      return sendInTurn([...awake, ...resting], request);
    },
  };
}

function isFailing(error: unknown): error is RegistryError {
  return hasCode(error, 'UPSTREAM_UNREACHABLE', 'UPSTREAM_TIMEOUT', 'UPSTREAM_ANSWER');
}
