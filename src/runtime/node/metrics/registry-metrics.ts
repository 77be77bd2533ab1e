import type { Clock } from '../../../clock.ts';
import type { Metrics, WarmResult } from '../../../observability/metrics.ts';
import type { Instruments } from './instruments.ts';

/** The requests to registries, and the notifications of registries. */
export function registryMetrics(
  instruments: Instruments,
  clock: Clock,
): Pick<Metrics, 'upstreamResponse' | 'tokenRequest' | 'accountRefused'> & PullMetrics & EventMetrics {
  const { counter, histogram } = instruments;
  const upstream = counter(
    'upstream_requests_total',
    'Requests to registries, their token servers and their storage, by class of the status.',
    'route',
    'code',
  );
  const upstreamSeconds = histogram(
    'upstream_duration_seconds',
    'Seconds from a request to a registry to the headers of its response.',
    'route',
  );
  const tokens = counter(
    'tokens_total',
    'Requests for tokens to token servers, by result.',
    'route',
    'result',
  );
  const accounts = counter(
    'upstream_account_refusals_total',
    "Requests that failed because a registry refuses the proxy's own account.",
    'route',
  );
  return {
    upstreamResponse(route, status, seconds) {
      upstream.inc({ route, code: classOf(status) });
      upstreamSeconds.observe({ route }, seconds);
    },
    tokenRequest: (route, granted) => tokens.inc({ route, result: granted ? 'granted' : 'refused' }),
    accountRefused: (route, requests) => accounts.inc({ route }, requests),
    ...pullMetrics(instruments, clock),
    ...eventMetrics(instruments),
  };
}

/** Rate limits are counted apart from other refusals, since they end by waiting. */
function classOf(status: number | undefined): string {
  if (status === undefined) return 'none';
  return status === 429 ? '429' : `${Math.floor(status / 100)}xx`;
}

type PullMetrics = Pick<Metrics, 'pullsRemaining'>;

/** A number of pulls says nothing once the registry no longer counts those before it: the series then ends. */
function pullMetrics({ watched }: Instruments, clock: Clock): PullMetrics {
  const ends = new Map<string, number>();
  const pulls = watched(
    'upstream_pulls_left',
    'Pulls that the registry still allows, as it last said (ratelimit-remaining).',
    (gauge) => {
      for (const [route, end] of ends) if (clock() >= end) gauge.remove({ route });
    },
    'route',
  );
  return {
    pullsRemaining(route, left, windowSeconds) {
      pulls.set({ route }, left);
      ends.set(route, clock() + windowSeconds * 1000);
    },
  };
}

type EventMetrics = Pick<Metrics, 'registryEvent' | 'warmed' | 'warmQueue'>;

function eventMetrics({ counter, gauge }: Instruments): EventMetrics {
  const events = counter(
    'events_total',
    'Events that registries sent, by registry and kind.',
    'source',
    'result',
  );
  const warmed = counter(
    'warmed_total',
    'Images made ahead of their first pull for a group of clients, by result.',
    'result',
  );
  // An increase from no series is none for Prometheus.
  for (const result of ['dropped', 'refused'] satisfies WarmResult[]) warmed.inc({ result }, 0);
  const queue = gauge('warm_queue', 'Images that wait to be made ahead.');
  return {
    registryEvent: (source, result) => events.inc({ source, result }),
    warmed: (result) => warmed.inc({ result }),
    warmQueue: (length) => queue.set(length),
  };
}
