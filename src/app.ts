import { Hono } from 'hono';
import { isV1Path } from './client-state/v1-session.ts';
import { RegistryError } from './errors.ts';
import type { ClientConnection } from './http/env.ts';
import type { Health } from './http/health.ts';
import { type Attendance, type AttendanceOptions, createAttendance } from './http/middleware/access-log.ts';
import { createRoute, type RouteOptions } from './http/route.ts';
import { answerV1 } from './http/v1/routes.ts';
import { answerV2 } from './http/v2/routes.ts';
import type { ClientRequest } from './registry/client-request.ts';
import type { RequestAuthority } from './routing/authority.ts';
import { createVirtualHosts } from './routing/virtual-hosts.ts';
import { version } from './version.ts';

/** Everything that a runtime gives to the program. */
export interface Dependencies extends AttendanceOptions {
  /** One for each route. */
  readonly routes: readonly RouteOptions[];
  readonly health: Health;
}

export interface App {
  readonly fetch: (request: Request, connection?: ClientConnection) => Response | Promise<Response>;
  /**
   * The answer to a question that was asked in the same words a moment ago, as long as it holds: faster than `fetch`,
   * for a runtime that can do without a Request. It is logged once its end is told.
   */
  readonly again: Attendance['lookup'];
  /** The same where the right to it has to be asked for first. */
  readonly renew: Attendance['revalidate'];
}

/** The program: one core for every runtime. */
export function createApp(dependencies: Dependencies): App {
  const { clock, health } = dependencies;
  const virtualHosts = createVirtualHosts(dependencies.routes.map(createRoute));

  /** The way of a request: where it came in tells the routes, its path the resource and the one route of these. */
  async function answer(request: ClientRequest, authority: RequestAuthority): Promise<Response> {
    const host = virtualHosts.find(authority);
    if (host === undefined) throw noDoor(authority);
    return isV1Path(request.url.pathname) ? answerV1(host, request) : answerV2(host, request, clock);
  }

  const attendance = createAttendance(dependencies, answer);
  const app = new Hono();
  app.get('/healthz', (context) => context.text('ok\n'));
  app.get('/readyz', async (context) => {
    const report = await health.report();
    return context.json(report, report.ready ? 200 : 503, { 'Cache-Control': 'no-store' });
  });
  app.get('/', (context) => context.text(page));
  app.all('*', (context) => attendance.attend(context.req.raw, context.env as ClientConnection | undefined));
  const { lookup, revalidate } = attendance;
  return { fetch: (request, connection) => app.fetch(request, connection), again: lookup, renew: revalidate };
}

/** For whoever opens the address in a browser. */
const page = `regshift ${version}
One registry, every client: pull from this address as from any container registry.
Each client is given an image in the form that it can read.
`;

function noDoor({ origin }: RequestAuthority): RegistryError {
  return new RegistryError('NAME_UNKNOWN', `No route of this proxy is for what asks for ${origin}.`);
}
