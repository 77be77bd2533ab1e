import type { Handler } from 'hono';
import type { Clock } from '../clock.ts';
import { valueWithin, withDeadline } from '../concurrency/deadline.ts';
import { RegistryError } from '../errors.ts';
import { requestPing } from '../upstream/api/ping.ts';
import { discard } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { Env } from './env.ts';

/** The body of `/readyz`, for probes and for people with curl. */
export interface HealthReport {
  /** True until the process is told to stop. */
  readonly ready: boolean;
  /** State of each remote cache, and of the store for layers. Pulls go on without it. */
  readonly caches: Readonly<Record<string, 'here' | 'away'>>;
  /**
   * State of each route's registry at the last check, and of each of several registries: `answers`, `not asked yet`, or
   * an error code like `UPSTREAM_UNREACHABLE`. A route with several answers if one of them does. Cached content is served
   * without the registry.
   */
  readonly upstreams: Readonly<Record<string, string>>;
}

export interface Health {
  /** Waits half a second at most: probes have a deadline of a second. */
  report(): Promise<HealthReport>;
  /** `HealthReport.caches`, without a look at an upstream. */
  caches(): HealthReport['caches'];
  /** Makes the process not ready. */
  stop(): void;
}

/** `GET /healthz` and `/livez`: the process answers. Kubernetes' own components have the second name. */
export const alive: Handler<Env> = (context) => context.text('ok\n');

/** `GET /readyz`: 200 if clients may be sent here, 503 otherwise. */
export function ready(health: Health): Handler<Env> {
  return async (context) => {
    const report = await health.report();
    return context.json(report, report.ready ? 200 : 503, { 'Cache-Control': 'no-store' });
  };
}

/** A route, and its registries where there are several. */
interface HealthRoute {
  readonly id: string;
  readonly client: UpstreamClient;
  readonly upstreams: readonly { readonly client: UpstreamClient }[];
}

export interface HealthOptions {
  readonly routes: readonly HealthRoute[];
  readonly caches: readonly { readonly name: string; readonly isAway: () => boolean }[];
  readonly clock: Clock;
  readonly background: (work: Promise<unknown>) => void;
}

const everyMs = 10_000;
const waitMs = 500;
const deadlineMs = 5_000;
const notAsked = 'not asked yet';

/**
 * A remote cache or an upstream that fails does not make a process not ready: all replicas would be not ready at
 * once, and none could serve cached content or report the cause.
 */
export function createHealth({ routes, caches, clock, background }: HealthOptions): Health {
  const upstreams: Record<string, string> = {};
  const asked = routes.map(({ id, client, upstreams }) => ({
    id,
    mirrors:
      upstreams.length > 1
        ? upstreams.map(({ client }) => ({ id: `${id} ${client.id}`, client }))
        : [{ id, client }],
  }));
  for (const { id, mirrors } of asked) for (const each of [{ id }, ...mirrors]) upstreams[each.id] = notAsked;
  let stopping = false;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<unknown> = Promise.resolve();

  async function ask(): Promise<void> {
    const asking = asked.flatMap((route) =>
      route.mirrors.map(async ({ id, client }) => {
        upstreams[id] = await stateOf(client);
        upstreams[route.id] = stateOfAll(route.mirrors.map((each) => upstreams[each.id] ?? notAsked));
      }),
    );
    await Promise.all(asking);
  }

  const stateOfCaches = () =>
    Object.fromEntries(caches.map(({ name, isAway }) => [name, isAway() ? 'away' : 'here'] as const));

  return {
    caches: stateOfCaches,
    async report() {
      if (clock() - askedAt >= everyMs) {
        askedAt = clock();
        asking = ask();
        background(asking);
      }
      await valueWithin(waitMs, asking);
      return { ready: !stopping, caches: stateOfCaches(), upstreams: { ...upstreams } };
    },
    stop() {
      stopping = true;
    },
  };
}

/** The state of a route whose mirrors have these: one that answers is enough. */
function stateOfAll(states: readonly string[]): string {
  return ['answers', notAsked].find((each) => states.includes(each)) ?? states[0] ?? notAsked;
}

/**
 * Pings upstream without a credential. A registry that wants a login is up. A server without `/v2/` is none, and a
 * server that answers 400 refuses each request of this connection.
 */
async function stateOf(client: UpstreamClient): Promise<string> {
  try {
    return await withDeadline(deadlineMs, undefined, async (signal) => {
      const response = await requestPing(client, { credential: { kind: 'none' }, signal });
      await discard(response);
      const { status } = response;
      return status < 500 && status !== 400 && status !== 404 ? 'answers' : `answers ${status}`;
    });
  } catch (error) {
    if (!(error instanceof RegistryError)) return 'UPSTREAM_TIMEOUT';
    return error.code === 'UNAUTHORIZED' ? 'answers' : error.code;
  }
}
