import type { Handler } from 'hono';
import type { RepositoryName } from '../../../converters/reference.ts';
import { createSharedSecret } from '../../auth/shared-secret.ts';
import { pause } from '../../concurrency/deadline.ts';
import { RegistryError } from '../../errors.ts';
import type { Env } from '../env.ts';
import type { Route } from '../route.ts';
import { createEventBodies, type EventBodyOptions } from './event-body.ts';
import { candidateRoutes, type RenameEvent, type RouteChoice, readRename, routesOf } from './event-routes.ts';
import { createMinuteWarnings } from './minute-warnings.ts';
import { readNotification } from './read-notification.ts';
import type { Notification, RegistryEvent } from './registry-event.ts';
import { createWarmJobs, type WarmJobsOptions } from './warm-jobs.ts';

export interface EventOptions extends WarmJobsOptions, EventBodyOptions {
  readonly secret: string;
}

/** The time after which a reported change has been made, in milliseconds. */
const againMs = 1_500;

/** Changes that wait for it. */
const mostAgain = 1_000;

/** The body of the response, for people with curl. */
interface Receipt {
  /** Images that wait to be made, by route and generation of clients. */
  queued: number;
  dropped: number;
  /** Events that are no push or deletion of a manifest, or belong to no route. */
  ignored: number;
}

/**
 * `POST /events`: notifications of registries. Cached facts about a repository end with each push and deletion, and images
 * are made for the clients that need another form. A registry sends a notification again until it gets 2xx, so that
 * only a wrong request gets another status.
 */
export function receiveEvents(options: EventOptions, routes: readonly Route[]): Handler<Env> {
  const { clock, background, log, metrics } = options;
  const hasSecret = createSharedSecret(options.secret);
  const readBody = createEventBodies(options);
  const jobs = createWarmJobs(options);
  const warn = createMinuteWarnings(clock, log);
  let again = 0;

  /** A registry may report a change before it is made: an answer from the time between is not remembered for long. */
  function recordAgain(route: Route, repository: RepositoryName): void {
    if (again >= mostAgain) return;
    again += 1;
    const later = pause(againMs).then(() => {
      again -= 1;
      route.registry.pushes.recordWrite(repository);
    });
    background(later);
  }

  function receive(event: RegistryEvent, served: readonly Route[], receipt: Receipt): void {
    const { repository, tag, digest: pushed } = event;
    for (const route of served) {
      route.registry.pushes.recordWrite(repository);
      if (tag === undefined || route.warm.length === 0) recordAgain(route, repository);
    }
    if (tag === undefined) return;
    for (const route of served) {
      for (const client of route.warm) {
        if (jobs.add({ route, repository, tag, pushed, since: clock(), client })) receipt.queued += 1;
        else receipt.dropped += 1;
      }
    }
  }

  function receiveAll(
    { source, events, left }: Notification,
    rename: RenameEvent,
    choice: RouteChoice,
  ): Receipt {
    const receipt: Receipt = { queued: 0, dropped: 0, ignored: 0 };
    const candidates = candidateRoutes(routes, choice);
    for (const sent of events) {
      const event = sent && rename(sent);
      const served = event === undefined ? [] : routesOf(event, candidates, choice);
      if (event && served.length > 0) receive(event, served, receipt);
      else receipt.ignored += 1;
      metrics.registryEvent(
        source,
        event === undefined ? 'other' : served.length > 0 ? event.kind : 'unrouted',
      );
      if (event && served.length === 0)
        warn(unrouted, { source, repository: event.repository, hosts: event.hosts });
    }
    if (left > 0) {
      receipt.ignored += left;
      warn(tooManyEvents, { source, events: events.length + left, most: events.length });
    }
    return receipt;
  }

  return async (context) => {
    const received = context.get('received');
    received.notes.resource = 'events';
    if (!hasSecret(received.headers)) {
      warn('a notification came without the secret of REGSHIFT_EVENTS_SECRET', {
        from: received.clientAddress,
      });
      throw wrongSecret();
    }
    const ids = received.url.searchParams.getAll('route');
    const unknown = ids.find((id) => !routes.some((route) => route.id === id));
    if (unknown !== undefined) throw unknownRoute(unknown, routes);
    const rename = readRename(received.url.searchParams.get('repository'));
    const notification = readNotification(received.headers, await readBody(received));
    if (notification === undefined) throw unknownFormat();
    const receipt = receiveAll(notification, rename, { ids, authority: context.get('authority') });
    return context.json(receipt, 202, { 'Cache-Control': 'no-store' });
  };
}

/** Refuses other methods of `/events`: a 404 would say that notifications are off. */
export const refuseEventMethod: Handler<Env> = (context) => {
  context.get('received').notes.resource = 'events';
  throw new RegistryError('METHOD_NOT_ALLOWED', 'Registries send notifications to this path by POST.', {
    headers: { Allow: 'POST' },
  });
};

const unrouted =
  'an event is about a repository that no route serves, or its route is not certain. Add ?route=<id> to the address ' +
  'in the registry';
const tooManyEvents = 'a notification has more events than regshift reads';

function wrongSecret(): RegistryError {
  return new RegistryError('UNAUTHORIZED', 'Notifications need the secret of REGSHIFT_EVENTS_SECRET.', {
    headers: { 'WWW-Authenticate': 'Basic realm="regshift events"' },
  });
}

function unknownRoute(id: string, routes: readonly Route[]): RegistryError {
  const known = routes.map((route) => route.id).join(', ');
  return new RegistryError(
    'ENDPOINT_UNKNOWN',
    `There is no route ${JSON.stringify(id.slice(0, 200))}. The routes are: ${known}.`,
  );
}

function unknownFormat(): RegistryError {
  return new RegistryError(
    'EVENT_INVALID',
    'This is no notification of a registry that regshift knows (docs/events.md).',
  );
}
