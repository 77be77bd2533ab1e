import { createServer, type Server } from 'node:http';
import type { Health } from '../../../http/health.ts';
import type { PrometheusMetrics } from './prometheus.ts';

/**
 * Creates the server for metrics and probes, on a port that only operators should reach.
 * @param hasPage shows the numbers to people, too.
 */
export function createMetricsServer(metrics: PrometheusMetrics, health: Health, hasPage = false): Server {
  const alive = async (): Promise<Answer> => ({ type: 'text/plain', body: 'ok\n' });
  const answers: Readonly<Record<string, () => Promise<Answer>>> = {
    '/metrics': async () => ({ type: metrics.contentType, body: await metrics.text() }),
    '/healthz': alive,
    '/livez': alive,
    '/readyz': async () => {
      const report = await health.report();
      return { type: 'application/json', body: JSON.stringify(report), status: report.ready ? 200 : 503 };
    },
    ...(hasPage ? pageAnswers(metrics, health) : {}),
  };
  return createServer(async ({ url = '/', method }, response) => {
    const [path = ''] = url.split('?', 1);
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
    const reads = method === 'GET' || method === 'HEAD';
    const {
      type,
      body,
      status = 200,
      headers: more,
    }: Answer = !answer
      ? { type: 'text/plain', body: 'There is /metrics, /livez, /readyz and /healthz here.\n', status: 404 }
      : reads
        ? await answer().catch(failed)
        : methodNotAllowed;
    const headers = { ...more, 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) };
    response.writeHead(status, headers).end(method === 'HEAD' ? undefined : body);
  });
}

/** The status for people. The code of the page loads with the first request for it. */
function pageAnswers({ numbers }: PrometheusMetrics, health: Health): Record<string, () => Promise<Answer>> {
  const load = () => import('../../../http/page/status-page.ts');
  const asAnswer = async (response: Response): Promise<Answer> => {
    const {
      'content-type': type = '',
      'content-length': _,
      ...headers
    } = Object.fromEntries(response.headers);
    return { type, headers, body: await response.text() };
  };
  return {
    '/': async () => asAnswer(await (await load()).statusPage(health, numbers)),
    '/page/page.css': async () => asAnswer((await load()).pageFile('page.css')),
    '/page/page.js': async () => asAnswer((await load()).pageFile('page.js')),
  };
}

/** RFC 9110, section 15.5.6: the response names the methods. */
const methodNotAllowed: Answer = {
  type: 'text/plain',
  body: 'This port serves GET and HEAD only.\n',
  status: 405,
  headers: { Allow: 'GET, HEAD' },
};

function failed(): Answer {
  return { type: 'text/plain', body: 'This cannot be told now.\n', status: 500 };
}

interface Answer {
  readonly type: string;
  readonly body: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}
