import { Hono } from 'hono';
import { isV1Path } from './client-state/v1-session.ts';
import { Failure } from './errors.ts';
import type { Connection } from './http/env.ts';
import type { Health } from './http/health.ts';
import { type Attendance, type AttendanceOptions, createAttendance } from './http/middleware/access-log.ts';
import { createSite, type SiteOptions } from './http/route.ts';
import { answerV1 } from './http/v1/routes.ts';
import { answerV2 } from './http/v2/routes.ts';
import type { ClientRequest } from './registry/client-request.ts';
import type { Place } from './routing/authority.ts';
import { createTable } from './routing/virtual-hosts.ts';
import { version } from './version.ts';

/** Everything that a runtime gives to the program. */
export interface Dependencies extends AttendanceOptions {
  /** One for each route. */
  readonly sites: readonly SiteOptions[];
  readonly health: Health;
}

export interface App {
  readonly fetch: (request: Request, connection?: Connection) => Response | Promise<Response>;
  /**
   * The answer to a question that was asked in the same words a moment ago, as long as it holds: faster than `fetch`,
   * for a runtime that can do without a Request. It is logged once its end is told.
   */
  readonly again: Attendance['again'];
  /** The same where the right to it has to be asked for first. */
  readonly renew: Attendance['renew'];
}

/** The program: one core for every runtime. */
export function createApp(dependencies: Dependencies): App {
  const { clock, health } = dependencies;
  const table = createTable(dependencies.sites.map(createSite));

  /** The way of a request: where it came in tells the routes, its path the resource and the one route of these. */
  async function answer(request: ClientRequest, place: Place): Promise<Response> {
    const door = table.at(place);
    if (door === undefined) throw noDoor(place);
    return isV1Path(request.url.pathname) ? answerV1(door, request) : answerV2(door, request, clock);
  }

  const attendance = createAttendance(dependencies, answer);
  const app = new Hono();
  app.get('/healthz', (context) => context.text('ok\n'));
  app.get('/readyz', async (context) => {
    const report = await health.report();
    return context.json(report, report.ready ? 200 : 503, { 'Cache-Control': 'no-store' });
  });
  app.get('/', (context) => context.text(page));
  app.all('*', (context) => attendance.attend(context.req.raw, context.env as Connection | undefined));
  const { again, renew } = attendance;
  return { fetch: (request, connection) => app.fetch(request, connection), again, renew };
}

/** For whoever opens the address in a browser. */
const page = `regshift ${version}
One registry, every client: pull from this address as from any container registry.
Each client is given an image in the form that it can read.
`;

function noDoor({ origin }: Place): Failure {
  return new Failure('NAME_UNKNOWN', `No route of this proxy is for what asks for ${origin}.`);
}
