import type { Hono } from 'hono';
import { createApp } from '../../app.ts';
import { compose } from '../../compose.ts';
import { formatProblems, readSettings } from '../../config/settings.ts';
import { createJsonLog } from '../../observability/log.ts';

type Variables = Readonly<Record<string, unknown>>;

/** One application an isolate: what it remembers is shared by the requests that the isolate serves. */
const applications = new WeakMap<object, Hono | Response>();

// biome-ignore lint/style/noDefaultExport: Workers want one
export default {
  fetch(request: Request, env: Variables): Response | Promise<Response> {
    const application = applications.get(env) ?? build(env);
    applications.set(env, application);
    return application instanceof Response ? application.clone() : application.fetch(request);
  },
};

/** A Worker has no start that could fail: a bad setting answers every request with the list of problems. */
function build(env: Variables): Hono | Response {
  const read = readSettings(env);
  if ('problems' in read) {
    const message = `regshift is not configured rightly.\n${formatProblems(read.problems)}`;
    return Response.json({ errors: [{ code: 'UNKNOWN', message }] }, { status: 503 });
  }
  const { settings } = read;
  const log = createJsonLog(settings.LOG_LEVEL, Date.now, (line) => console.log(line));
  return createApp(
    compose(settings, {
      fetch: (url, init) => fetch(url, init),
      clock: Date.now,
      log,
      signingKeyText: async (setting) => setting,
    }),
  );
}
