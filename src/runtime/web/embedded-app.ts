import { systemWallClock } from '../../clock.ts';
import { compose } from '../../compose/compose.ts';
import { formatProblems, type SettingProblem } from '../../config/problem.ts';
import type { Settings } from '../../config/settings.ts';
import { isRegistryPath } from '../../http/params.ts';
import { createJsonLog } from '../../observability/log.ts';
import type { AppSettings } from './app-settings.ts';
import { fetchWithHeaders } from './fetch-with-headers.ts';
import { faultOfHost, fetchOfHost, refuseOtherRequest } from './host-app.ts';
import { type LimitedRuntime, readLimitedSettings } from './node-only.ts';
import { webPlatform } from './platform.ts';
import { type StartedApp, startApp } from './start-app.ts';
import { asVariables } from './variables.ts';

/** The parts of the runtime that an embedded app may use in place of its own. */
export interface AppOptions {
  /**
   * Sends requests to the registry, its token server and its storage; by default, the runtime's own `fetch`. It follows no
   * redirect by itself (`redirect` is `manual`), and decodes no encoding that it did not ask for.
   */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /**
   * Keeps work alive whose client has its response. On Workers: `waitUntil` of `cloudflare:workers`. By default the work
   * runs without it, as Node lets it.
   */
  readonly waitUntil?: (work: Promise<unknown>) => void;
  /** Gets each line of the log: one JSON object, without a line break. By default, `console.log`. */
  readonly writeLog?: (line: string) => void;
}

/** The facts of a request that only the runtime knows. */
export interface RequestFacts {
  /**
   * The IP address of the other end of the connection, for the limits per client and the rules about networks; without
   * it, all clients are one. Behind a proxy, it is that of the proxy: REGSHIFT_TRUSTED_PROXIES tells whether its
   * `X-Forwarded-*` count. A header that any client can write is no source for it.
   */
  readonly clientAddress?: string | undefined;
}

/** regshift as a part of another app. It has no timer and no connection that has to be closed. */
export interface EmbeddedApp {
  /**
   * Answers a request. The path must be as the client sent it: clients ask at the root of a host.
   * @returns never rejects for a Request of the web; an error is a response.
   */
  fetch(request: Request, facts?: RequestFacts | null): Promise<Response>;
  /**
   * Whether the path of a request is one of the registry APIs: below `/v2`, `/v1` or `/v1ctx`, or `/token`. All other paths
   * are free for the app around regshift. `fetch` also answers `/` (the page), `/healthz`, `/livez`, `/readyz` and `/events`.
   */
  handles(request: Request): boolean;
}

/** The error of settings with which regshift cannot start. Its message has a line for each problem. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  /** All problems, so that they can be corrected together. */
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    super(`regshift cannot start with these settings:\n${formatProblems(problems)}`);
    this.problems = problems;
  }
}

/**
 * Creates regshift as a part of another app, on Node, on Workers, or on any runtime with the classes of the web. It sends
 * no request before its first one, so a Worker may call this in its global scope. The package exports it as `createApp`.
 * @param settings the settings, by the names of docs/settings.md. They are read once.
 * @throws SettingsError with all problems of the settings; TypeError without settings, or for an option that is no function.
 */
export function createEmbeddedApp(settings: AppSettings, given?: AppOptions | null): EmbeddedApp {
  const options = given ?? {};
  if (typeof settings !== 'object' || settings === null) throw new TypeError(noSettings);
  refuseWrongOptions(options);
  const { variables, problems: kinds } = asVariables(settings);
  const read = readLimitedSettings(variables, kinds, embedded);
  if ('problems' in read) throw new SettingsError(read.problems);
  let app: StartedApp | undefined;
  return {
    async fetch(request, facts) {
      refuseOtherRequest(request);
      // Workers give random numbers, which the app needs, only while they answer a request. Requests do not wait for each
      // other's promises there; of two apps one is kept.
      const started = app ?? (await appOf(read.settings, options));
      app ??= started;
      const address = facts?.clientAddress;
      const peerAddress = typeof address === 'string' ? address : undefined;
      return fetchWithHeaders(app, request, { peerAddress });
    },
    handles(request) {
      refuseOtherRequest(request);
      return isRegistryPath(request);
    },
  };
}

const noSettings =
  "createApp needs the settings as its first argument, like { REGSHIFT_UPSTREAM: 'https://registry.example' } or " +
  'process.env (docs/embedding.md)';

/** @throws TypeError for a part that is no function: it would fail each request, or be silent. */
function refuseWrongOptions({ fetch: send, waitUntil, writeLog }: AppOptions): void {
  for (const [name, part] of Object.entries({ fetch: send, waitUntil, writeLog })) {
    if (part !== undefined && typeof part !== 'function') {
      throw new TypeError(`createApp: ${name} must be a function, or left out (docs/embedding.md)`);
    }
  }
}

function appOf(settings: Settings, options: AppOptions): Promise<StartedApp> {
  const { fetch: send, waitUntil, writeLog } = options;
  const write = unfailing(writeLog ?? ((line: string) => console.log(line)));
  const log = createJsonLog(settings.LOG_LEVEL, systemWallClock, write);
  const keep = unfailing(
    waitUntil ?? (() => undefined),
    faultOfHost(log, 'the waitUntil that createApp was given fails'),
  );
  const platform = webPlatform(settings, {
    fetch: send ? fetchOfHost(send, log) : (url, init) => fetch(url, init),
    log,
    // The requests that wait for the work get its error.
    background: (work) => keep(work.catch(() => undefined)),
  });
  return startApp(settings, compose(settings, platform));
}

/** A function of the app around regshift, whose exceptions and rejections fail no request and do not end the process. */
function unfailing<Argument>(
  act: (argument: Argument) => unknown,
  failed: (error: unknown) => void = () => undefined,
): (argument: Argument) => void {
  return (argument) => {
    try {
      Promise.resolve(act(argument)).catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}

/** The words about an app that embeds regshift. */
const embedded: LimitedRuntime = {
  where: 'in an embedded app',
  listener: 'where the app around regshift listens and counts (docs/embedding.md)',
  redis:
    'must be left out in an embedded app, which remembers in its own memory. Replicas with a Redis run as `regshift serve` ' +
    '(docs/embedding.md)',
  folder:
    'must not be a folder in an embedded app, which uses no disk: name a bucket as s3://bucket/prefix?region=… ' +
    '(docs/embedding.md)',
};
