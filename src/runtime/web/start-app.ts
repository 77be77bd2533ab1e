import { ConversionError } from '../../../converters/errors.ts';
import { type App, createApp, type Dependencies } from '../../app.ts';
import { formatProblems, notShown, type SettingProblem } from '../../config/problem.ts';
import { forEveryone } from '../../config/redacted.ts';
import type { Settings } from '../../config/settings.ts';
import type { RouteOptions } from '../../http/route.ts';
import type { Log } from '../../observability/log.ts';

/** An app, or the responses of one that cannot start. */
export type StartedApp = Pick<App, 'fetch'>;

/**
 * Starts the app of a runtime that has no start of its own, at its first request. The key is read now, so that a wrong
 * one fails each request and not the first pull.
 */
export async function startApp(
  { REGSHIFT_SIGNING_KEY: key }: Settings,
  dependencies: Dependencies & Pick<RouteOptions, 'signingKey'>,
): Promise<StartedApp> {
  if (key === undefined) return createApp(dependencies);
  try {
    await dependencies.signingKey();
    return createApp(dependencies);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    const message = `cannot be used: ${error.message}`;
    return misconfigured([{ variable: 'REGSHIFT_SIGNING_KEY', value: notShown, message }], dependencies.log);
  }
}

/**
 * An app whose every response is the list of problems.
 * @param log gets the list once, with the addresses that only the operator may see.
 */
export function misconfigured(problems: readonly SettingProblem[], log?: Log): StartedApp {
  log?.('error', 'settings are wrong: every response is 503 with the list of problems', {
    problems: formatProblems(problems),
  });
  const message = `regshift is not configured rightly.\n${formatProblems(problems.map(forEveryone))}`;
  return { fetch: () => Response.json({ errors: [{ code: 'UNKNOWN', message }] }, { status: 503 }) };
}
