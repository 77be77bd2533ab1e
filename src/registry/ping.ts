import type { Clock } from '../clock.ts';
import { isDeadline, waitFor, withDeadline } from '../concurrency/deadline.ts';
import { hasCode, isUpstreamFailing, RegistryError } from '../errors.ts';
import { requestPing } from '../upstream/api/ping.ts';
import { discard } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { errorFromResponse } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import { usualTimeouts } from '../upstream/timeouts.ts';

export interface PingerOptions {
  readonly client: UpstreamClient;
  /** Seconds for which an earlier response stands in while upstream fails. */
  readonly staleFor: number;
  readonly clock: Clock;
}

export interface Pinger {
  /**
   * Asks upstream whether it accepts this request's credential. While upstream fails, its last response to a request
   * without a credential stands in for such requests: an engine pings before all else, and requests nothing else
   * without a response. A ping gives no access: each image needs a proof of its own.
   * @returns `stale` where an earlier response stands in.
   * @throws RegistryError UNAUTHORIZED with upstream's challenge; DENIED, RATE_LIMITED, or that upstream failed.
   */
  ping(context: RequestContext): Promise<'fresh' | 'stale'>;
}

/**
 * Milliseconds after which an earlier response stands in. Docker waits 15 s (moby, registry/auth.go, `PingV2Registry`);
 * podman, and Docker up to 1.9, wait for as long as the registry takes.
 */
const standInMs = 8_000;

/** Upstream's last response to a ping without a credential. */
interface KnownResponse {
  readonly at: number;
  readonly refusal: RegistryError | undefined;
}

export function createPinger({ client, staleFor, clock }: PingerOptions): Pinger {
  let last: KnownResponse | undefined;

  /** A request that began later knows more. */
  function remember(response: KnownResponse): void {
    if (last === undefined || response.at >= last.at) last = response;
  }

  return {
    async ping(context) {
      const anonymous = context.credential.kind === 'none';
      const at = clock();
      const standIn = () => (anonymous && last && clock() - last.at <= staleFor * 1000 ? last : undefined);
      const answerMs = client.answerMs ?? usualTimeouts.answerMs;
      try {
        await pingUpstream(client, context, standIn() ? standInMs : answerMs);
        if (anonymous) remember({ at, refusal: undefined });
        return 'fresh';
      } catch (error) {
        if (anonymous && hasCode(error, 'UNAUTHORIZED')) remember({ at, refusal: error });
        const known = standIn();
        if (!known || !isUpstreamFailing(error)) throw error;
        if (known.refusal) throw known.refusal;
        return 'stale';
      }
    },
  };
}

/** Pings upstream. The deadline is for upstream's response and for those of a token server that it may lead to. */
async function pingUpstream(
  client: UpstreamClient,
  { signal: outer, credential, budget }: RequestContext,
  deadlineMs: number,
): Promise<void> {
  return withDeadline(deadlineMs, outer, async (signal) => {
    try {
      const response = await waitFor(requestPing(client, { credential, budget, signal }), signal);
      if (!response.ok) throw await errorFromResponse(response, 'registry API v2', 'NAME_UNKNOWN');
      await discard(response);
    } catch (error) {
      if (isDeadline(signal)) throw late(deadlineMs);
      throw error;
    }
  });
}

function late(deadlineMs: number): RegistryError {
  const message = `Upstream did not answer within ${deadlineMs / 1000} s. Check that it is healthy, and try again.`;
  return new RegistryError('UPSTREAM_TIMEOUT', message);
}
