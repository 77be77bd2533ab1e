import type { Handler } from 'hono';
import type { RepositoryName } from '../../../converters/reference.ts';
import { createSharedSecret } from '../../auth/shared-secret.ts';
import { joinKey } from '../../cache/key.ts';
import { pause } from '../../concurrency/deadline.ts';
import { RegistryError } from '../../errors.ts';
import type { Env } from '../env.ts';
import { quoted } from '../quoted.ts';
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

/** The time for which the events of a repository share that wait, in milliseconds. A clean-up deletes thousands of tags. */
const gatherMs = 250;

/** Repositories whose events are gathered at once. */
const mostGathering = 1_000;

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
  const gathering = new Set<string>();

  /** A registry may report a change before it is made: an answer from the time between is not remembered for long. */
  function recordAgain(route: Route, repository: RepositoryName): void {
    const key = joinKey(route.id, repository);
    if (gathering.has(key) || gathering.size >= mostGathering) return;
    gathering.add(key);
    const later = async () => {
      await pause(gatherMs);
      gathering.delete(key);
      await pause(againMs);
      route.registry.pushes.recordWrite(repository);
    };
    background(later());
  }

  function receive(event: RegistryEvent, served: readonly Route[], receipt: Receipt): void {
    for (const route of served) {
      route.registry.pushes.recordWrite(event.repository);
      // A job that begins waits until the tag has moved.
      if (!warm(event, route, receipt)) recordAgain(route, event.repository);
    }
  }

  /** Adds the jobs of an event. @returns whether one of them has begun. */
  function warm({ repository, tag, digest: pushed }: RegistryEvent, route: Route, receipt: Receipt): boolean {
    if (tag === undefined) return false;
    const added = route.warm.map((client) =>
      jobs.add({ route, repository, tag, pushed, since: clock(), client }),
    );
    const dropped = added.filter((each) => each === undefined).length;
    receipt.queued += added.length - dropped;
    receipt.dropped += dropped;
    return added.includes('begun');
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
    `There is no route ${quoted(id, 200)}. The routes are: ${known}.`,
  );
}

function unknownFormat(): RegistryError {
  return new RegistryError(
    'EVENT_INVALID',
    'This is no notification of a registry that regshift knows (docs/events.md).',
  );
}
