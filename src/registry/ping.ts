import { isDeadline, waitFor, withDeadline } from '../concurrency/deadline.ts';
import { isUpstreamFailing, RegistryError } from '../errors.ts';
import { requestPing } from '../upstream/api/ping.ts';
import { discard } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { errorFromResponse } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';

export interface PingerOptions {
  readonly client: UpstreamClient;
  /** Seconds for which an earlier answer stands in while upstream fails. */
  readonly stale: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export interface Pinger {
  /**
   * Asks upstream whether this caller may come in. While upstream fails, what it last said to a caller without a
   * credential is said to such callers again: an engine asks this first of all, and asks for nothing else where it
   * gets no answer. It opens nothing: each image is guarded by a proof of its own.
   * @returns whether the answer is an earlier one.
   * @throws RegistryError UNAUTHORIZED with upstream's challenge; DENIED, RATE_LIMITED, or that upstream failed.
   */
  ping(context: RequestContext): Promise<'fresh' | 'stale'>;
}

/** Docker gives up after ten seconds (clients.md, "`/v2/` ping"). */
const deadlineMs = 8_000;

interface Said {
  readonly at: number;
  readonly refusal: RegistryError | undefined;
}

export function createPinger({ client, stale, clock }: PingerOptions): Pinger {
  let said: Said | undefined;

  return {
    async ping(context) {
      const anonymous = context.credential.kind === 'none';
      try {
        await ask(client, context);
        if (anonymous) said = { at: clock(), refusal: undefined };
        return 'fresh';
      } catch (error) {
        if (anonymous && error instanceof RegistryError && error.code === 'UNAUTHORIZED') {
          said = { at: clock(), refusal: error };
        }
        const known = anonymous && said && clock() - said.at <= stale * 1000;
        if (!known || !isUpstreamFailing(error)) throw error;
        if (said?.refusal) throw said.refusal;
        return 'stale';
      }
    },
  };
}

/** All of it within the deadline: upstream's answer, and those of a token server that it may lead to. */
async function ask(
  client: UpstreamClient,
  { signal: outer, credential, budget }: RequestContext,
): Promise<void> {
  return withDeadline(deadlineMs, outer, async (signal) => {
    try {
      const response = await waitFor(requestPing(client, { credential, budget, signal }), signal);
      if (!response.ok) throw await errorFromResponse(response, 'registry API v2', 'NAME_UNKNOWN');
      await discard(response);
    } catch (error) {
      if (isDeadline(signal)) throw late();
      throw error;
    }
  });
}

function late(): RegistryError {
  const message = `Upstream did not answer within ${deadlineMs / 1000} s. Check that it is healthy, and try again.`;
  return new RegistryError('UPSTREAM_TIMEOUT', message);
}
