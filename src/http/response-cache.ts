import type { MemoryBudget } from '../cache/memory-budget.ts';
import { bytesOfValue } from '../cache/memory-bytes.ts';
import type { Clock } from '../clock.ts';
import { type ClientRule, networkClasses } from '../negotiation/client-rule.ts';
import type { ClientRequest } from '../registry/client-request.ts';
import type { StartedRequest } from '../registry/context.ts';
import type { Freshness, WholeResponse } from '../registry/manifests/freshness.ts';
import { createBudget } from '../request/budget.ts';
import { clientAddressOf } from '../request/requester.ts';
import { createRequestStats, recordSource, responseCacheSource } from '../request/stats.ts';
import { traceOf } from '../request/trace.ts';
import { type IpRange, isInRanges } from '../routing/ip-range.ts';
import type { CreateLogLine, RequestLine } from './access-log.ts';
import type { SentResponse } from './env.ts';
import type { InFlight } from './in-flight.ts';
import type { RequestIds } from './request-id.ts';

/** A request known only by its response-cache key; not parsed yet. */
export interface CacheLookup {
  /** Everything in the request that its response depends on. */
  readonly cacheKey: string;
  /** Headers that identify it: request id, trace context and the client's address behind proxies. */
  readonly identity: Readonly<
    Partial<Record<'x-request-id' | 'x-forwarded-for' | 'traceparent' | 'tracestate', string | undefined>>
  >;
  /** The Authorization value, whose digest the key has. A remembered response has no login. */
  readonly authorization: string | undefined;
  readonly peerAddress: string | undefined;
  /**
   * Makes a signal that aborts when the client leaves. It costs as much as a whole response, so only `revalidate`
   * calls it.
   */
  readonly clientLeft?: (() => AbortSignal) | undefined;
}

/** A whole response, ready to be sent. */
export interface CachedResponse {
  readonly response: WholeResponse;
  /** The value of `X-Request-Id`. */
  readonly id: string;
  /** The runtime calls it when the response has been sent. */
  readonly finished: (sent: SentResponse) => void;
}

/** A whole response in the cache. */
interface ResponseEntry {
  readonly response: WholeResponse;
  /** The line for the access log. */
  readonly line: RequestLine;
  freshness: Freshness;
}

/**
 * Bytes of the log line and of the freshness of one entry, which are closures, and of the lines that Node writes. They
 * were measured as the growth of the heap with entries of 500 bytes.
 */
const overheadBytes = 3_072;

/** Bodies count, although the table of content has most of the same bytes. */
function bytesOfEntry({ response }: ResponseEntry): number {
  return bytesOfValue(response) + overheadBytes;
}

/**
 * Caches whole responses by everything in a request that they depend on. A hundred clients that pull one image send the
 * same request; only the right to the response is left to check.
 */
export interface ResponseCache {
  /** The same request with a `storeResponse` that caches its response under the key. */
  recorded(request: ClientRequest, cacheKey: string | undefined): ClientRequest;
  /** The response, if it is fresh: upstream is not asked. */
  lookup(lookup: CacheLookup): CachedResponse | undefined;
  /**
   * Checks with upstream whether the client may still read the response.
   * @returns the response; or the started request, for the full way, which repeats no upstream request; undefined for
   *   an unknown key.
   */
  revalidate(lookup: CacheLookup): Promise<CachedResponse | StartedRequest> | undefined;
}

export interface ResponseCacheOptions {
  readonly subrequests: number;
  readonly clock: Clock;
  readonly inFlight: InFlight;
  readonly memory: MemoryBudget;
  readonly trustedProxies: readonly IpRange[];
  /** Rules of routes may choose a response by the client's network. */
  readonly routes: readonly { readonly clientRules: readonly ClientRule[] }[];
}

export function createResponseCache(
  { subrequests, clock, inFlight, memory, trustedProxies, routes }: ResponseCacheOptions,
  lineFor: CreateLogLine,
  nameRequest: RequestIds,
): ResponseCache {
  const networkClass = networkClasses(routes.flatMap(({ clientRules }) => clientRules));
  const held = memory.table<ResponseEntry>('responses', bytesOfEntry);
  const keyOf = ({ cacheKey, identity, peerAddress }: CacheLookup) =>
    networkClass === undefined
      ? cacheKey
      : withNetwork(cacheKey, addressOf(peerAddress, identity['x-forwarded-for'] ?? null));
  const addressOf = (peer: string | undefined, forwardedFor: string | null) =>
    clientAddressOf(peer, forwardedFor, (each) => isInRanges(trustedProxies, each));
  const withNetwork = (cacheKey: string, address: string) =>
    networkClass === undefined ? cacheKey : `${cacheKey}\n${networkClass(address)}`;

  async function renewed(
    found: ResponseEntry,
    lookup: CacheLookup,
    leave: () => void,
  ): Promise<CachedResponse | StartedRequest> {
    const { identity, authorization, peerAddress } = lookup;
    const stats = createRequestStats(traceOf(identity.traceparent, identity.tracestate));
    const budget = createBudget(subrequests, stats);
    const started: StartedRequest = {
      started: clock(),
      budget,
      signal: lookup.clientLeft?.(),
      resolutions: new Map(),
    };
    // An error is reported on the full way: `resolutions` keeps it, so that upstream is not asked twice.
    const right = await found.freshness.revalidate(started, authorization).catch(() => undefined);
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
    recorded(request, cacheKey) {
      if (cacheKey === undefined) return request;
      const hold: ClientRequest['storeResponse'] = (answer, right) =>
        held.set(withNetwork(cacheKey, request.clientAddress), {
          response: answer,
          line: lineFor(request, 200),
          freshness: right,
        });
      return { ...request, storeResponse: hold };
    },

    lookup(lookup) {
      const { identity, peerAddress } = lookup;
      const found = held.get(keyOf(lookup));
      if (!found?.freshness.isFresh()) return undefined;
      const id = nameRequest(identity['x-request-id'], peerAddress);
      const trace = traceOf(identity.traceparent, identity.tracestate);
      const ended = (sent: SentResponse) =>
        found.line.ended({ id, trace, stats: undefined, milliseconds: 0, sent });
      return { response: found.response, id, finished: ended };
    },

    revalidate(lookup) {
      const found = held.get(keyOf(lookup));
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
