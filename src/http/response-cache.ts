import type { ClientRequest } from '../registry/client-request.ts';
import type { StartedRequest } from '../registry/context.ts';
import type { WholeResponse } from '../registry/manifests/freshness.ts';
import { createBudget } from '../request/budget.ts';
import { createRequestStats, recordSource, responseCacheSource } from '../request/stats.ts';
import { traceOf } from '../request/trace.ts';
import type { CreateLogLine } from './access-log.ts';
import { createResponseStore, type ResponseEntry } from './cached-responses.ts';
import type { SentResponse } from './env.ts';
import type { InFlight } from './in-flight.ts';
import type { RequestIds } from './request-id.ts';

/** A request that nobody has looked into, but for the words that it asks in. */
export interface CacheLookup {
  /** Everything of it that its answer depends on. */
  readonly cacheKey: string;
  /** What of its headers names it. */
  readonly identity: Readonly<
    Partial<Record<'x-request-id' | 'traceparent' | 'tracestate', string | undefined>>
  >;
  readonly peerAddress: string | undefined;
  /** Makes what aborts when the client leaves; only where upstream is asked, for it costs as much as an answer. */
  readonly clientLeft?: (() => AbortSignal) | undefined;
}

/** A whole answer that is to be sent. */
export interface CachedResponse {
  readonly response: WholeResponse;
  /** For `X-Request-Id`. */
  readonly id: string;
  /** To be told when it has been sent. */
  readonly finished: (sent: SentResponse) => void;
}

/** Answers what was asked before in the same words, without a look at what it means. */
export interface ResponseCache {
  /** The same request; what is found out for it can be given again to the same question. */
  recorded(request: ClientRequest, question: string | undefined): ClientRequest;
  /** The answer, where it may be given without asking anyone. */
  lookup(lookup: CacheLookup): CachedResponse | undefined;
  /**
   * The answer, where nothing but the right to it has to be asked for; or else what is left to be answered in full, of
   * which nothing is asked twice. undefined: the question is a new one.
   */
  revalidate(lookup: CacheLookup): Promise<CachedResponse | StartedRequest> | undefined;
}

export interface ResponseCacheOptions {
  readonly subrequests: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly inFlight: InFlight;
  /** Memory for whole answers. */
  readonly responseCacheBytes: number;
}

export function createResponseCache(
  { subrequests, clock, inFlight, responseCacheBytes }: ResponseCacheOptions,
  lineFor: CreateLogLine,
  nameRequest: RequestIds,
): ResponseCache {
  const held = createResponseStore(responseCacheBytes);

  async function renewed(
    found: ResponseEntry,
    lookup: CacheLookup,
    leave: () => void,
  ): Promise<CachedResponse | StartedRequest> {
    const { identity, peerAddress } = lookup;
    const stats = createRequestStats(traceOf(identity.traceparent, identity.tracestate));
    const budget = createBudget(subrequests, stats);
    const started: StartedRequest = {
      started: clock(),
      budget,
      signal: lookup.clientLeft?.(),
      resolutions: new Map(),
    };
    // What goes wrong is told by whoever answers in full: it is asked for there, and remembered in `asked`.
    const right = await found.freshness.revalidate(started).catch(() => undefined);
    if (right === undefined) {
      leave();
      return started;
    }
    found.freshness = right;
    recordSource(stats, responseCacheSource);
    const id = nameRequest(identity['x-request-id'], peerAddress);
    const ended = (sent: SentResponse) => {
      leave();
      found.line.ended({ id, trace: stats.trace, stats, milliseconds: clock() - started.started, sent });
    };
    return { response: found.response, id, finished: ended };
  }

  return {
    recorded(request, question) {
      if (question === undefined) return request;
      const hold: ClientRequest['storeResponse'] = (answer, right) =>
        held.put(question, { response: answer, line: lineFor(request, 200), freshness: right });
      return { ...request, storeResponse: hold };
    },

    lookup({ cacheKey, identity, peerAddress }) {
      const found = held.get(cacheKey);
      if (!found?.freshness.isFresh()) return undefined;
      const id = nameRequest(identity['x-request-id'], peerAddress);
      const trace = traceOf(identity.traceparent, identity.tracestate);
      const ended = (sent: SentResponse) =>
        found.line.ended({ id, trace, stats: undefined, milliseconds: 0, sent });
      return { response: found.response, id, finished: ended };
    },

    revalidate(lookup) {
      const found = held.get(lookup.cacheKey);
      const slot = found && inFlight.acquire();
      if (!slot) return undefined;
      const leave = () => {
        slot.responding();
        slot.release();
      };
      return renewed(found, lookup, leave);
    },
  };
}
