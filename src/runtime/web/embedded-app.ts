import { type App, createApp } from '../../app.ts';
import { systemWallClock } from '../../clock.ts';
import { compose } from '../../compose/compose.ts';
import { formatProblems, type SettingProblem } from '../../config/problem.ts';
import { readSettings, type Settings } from '../../config/settings.ts';
import { isRegistryPath } from '../../http/params.ts';
import { createJsonLog } from '../../observability/log.ts';
import type { AppSettings } from './app-settings.ts';
import { fetchWithHeaders } from './fetch-with-headers.ts';
import { type LimitedRuntime, nodeOnlyProblems } from './node-only.ts';
import { webPlatform } from './platform.ts';
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
   * @returns never rejects; an error is a response.
   */
  fetch(request: Request, facts?: RequestFacts): Promise<Response>;
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
 * @throws SettingsError with all problems of the settings.
 */
export function createEmbeddedApp(settings: AppSettings, options: AppOptions = {}): EmbeddedApp {
  const read = readSettings(asVariables(settings));
  if ('problems' in read) throw new SettingsError(read.problems);
  const problems = nodeOnlyProblems(read.settings, embedded);
  if (problems.length > 0) throw new SettingsError(problems);
  let app: App | undefined;
  return {
    async fetch(request, { clientAddress } = {}) {
      // Workers give random numbers, which the app needs, only while they answer a request.
      app ??= appOf(read.settings, options);
      const address = typeof clientAddress === 'string' ? clientAddress : undefined;
      return fetchWithHeaders(app, request, { peerAddress: address });
    },
    handles: isRegistryPath,
  };
}

function appOf(settings: Settings, { fetch: send, waitUntil, writeLog }: AppOptions): App {
  const write = writeLog ?? ((line: string) => console.log(line));
  const log = createJsonLog(settings.LOG_LEVEL, systemWallClock, write);
  const platform = webPlatform(settings, {
    fetch: send ?? ((url, init) => fetch(url, init)),
    log,
    background: waitUntil ?? (() => undefined),
  });
  return createApp(compose(settings, platform));
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
