import type { Metrics, ResponseFacts } from '../../../observability/metrics.ts';
import type { Instruments } from './instruments.ts';

const answerBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** The responses to clients. */
export function clientMetrics({ counter, histogram }: Instruments): Pick<Metrics, 'responseSent'> {
  const requests = counter(
    'requests_total',
    'Requests of clients, by route, by resource and by status of the response.',
    'route',
    'resource',
    'code',
  );
  const seconds = histogram(
    'request_duration_seconds',
    'Seconds from a request to the last byte of its response.',
    'resource',
    answerBuckets,
  );
  const bytes = counter('sent_bytes_total', 'Bytes of responses, headers included.', 'resource');
  const clients = counter(
    'client_manifests_total',
    'Manifests sent, by group of clients, as stored or converted.',
    'client',
    'form',
  );
  const stale = counter(
    'stale_responses_total',
    'Responses in which an older answer of the registry stands in.',
    'route',
  );
  // Looking up a counter by its labels costs more than counting.
  const known = new Map<string, (response: ResponseFacts) => void>();
  const counting = ({ route, resource, status, stale: isStale, manifestFor }: ResponseFacts) => {
    const request = requests.labels(route, resource, String(status));
    const second = seconds.labels(resource);
    const byte = bytes.labels(resource);
    const staleOfRoute = stale.labels(route);
    staleOfRoute.inc(0);
    const ofClient = manifestFor && clients.labels(manifestFor.client, manifestFor.form);
    return (response: ResponseFacts) => {
      request.inc();
      if (isStale) staleOfRoute.inc();
      ofClient?.inc();
      second.observe(response.seconds);
      if (response.bytes !== undefined) byte.inc(response.bytes);
    };
  };
  return {
    responseSent(response) {
      const { route, resource, status, stale: isStale, manifestFor: to } = response;
      const key = `${route} ${resource} ${status} ${isStale} ${to?.client} ${to?.form}`;
      const count = known.get(key) ?? counting(response);
      known.set(key, count);
      count(response);
    },
  };
}
