import type { Settings, Values } from '../../config/settings.ts';
import type { Facts } from '../../observability/log.ts';
import { checkSettings } from '../../runtime/node/check-settings.ts';
import { endProcess } from '../../runtime/node/end-process.ts';
import { createNodeLog, type NodeLog } from '../../runtime/node/log.ts';
import { tooFewFiles } from '../../runtime/node/open-files.ts';
import { mostRequests } from '../../runtime/node/platform.ts';
import { createSettingsFiles } from '../../runtime/node/rotating-settings.ts';
import { type Running, serve } from '../../runtime/node/serve.ts';
import { hasFileOperations } from '../../runtime/node/store/file-operations.ts';
import { logUncaught } from '../../runtime/node/uncaught.ts';
import { version } from '../../version.ts';
import { isRunByNpm, ownRegistryAdvice } from '../launcher.ts';
import { reachability } from '../reachability.ts';
import { registriesOf } from '../registries.ts';
import { obeySignals } from '../signals.ts';
import { cannotStart, startFailure } from '../start-problems.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { exitCodes } from '../usage.ts';

/** The options of `serve`, which replace variables. */
interface Options {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly upstream?: string | undefined;
}

/** The streams with the environment in which options replace variables. */
export function withOptions(io: Io, { port, host, upstream }: Options): Io {
  const given = { PORT: port?.toString(), HOST: host, REGSHIFT_UPSTREAM: upstream };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...io, env: { ...io.env, ...Object.fromEntries(set) } };
}

/** `regshift serve`: starts the proxy, and returns when it listens. @returns exit code 2 if a setting is wrong. */
export async function runServe(io: Io): Promise<number> {
  const files = await createSettingsFiles(io.env);
  const checked = await checkSettings(files.read(), io.env);
  if ('problems' in checked) {
    printNote(io, cannotStart(checked));
    return exitCodes.wrongUsage;
  }
  const { settings, warnings } = checked;
  const { columns, color } = io.output;
  const nodeLog = createNodeLog(settings, 1, columns ? { color } : undefined);
  const { log, isText } = nodeLog;
  try {
    let running: Running | undefined;
    const exit = createExit(nodeLog, () => running?.cut());
    logUncaught(log, exit);
    for (const warning of warnings) log('warn', warning, { consequence: 'the variable has no effect' });
    const fewFiles = tooFewFiles(settings.REGSHIFT_MAX_REQUESTS ?? mostRequests);
    if (fewFiles) log('warn', 'fewer files may be open than REGSHIFT_MAX_REQUESTS needs', fewFiles);
    const serves = obeySignals(log, exit, isRunByNpm(io.env));
    running = await serve(checked, log, files);
    serves(running);
    if (isText) {
      io.stdout(greeting(running.urls, settings, io.env));
      if (columns !== undefined) io.stdout(reachability(running.urls, settings));
    } else log('info', 'regshift serves', startFacts(running, settings));
    void running.checkUpstreams();
    return exitCodes.good;
  } catch (error) {
    await nodeLog.flush();
    printNote(io, `regshift cannot start: ${await startFailure(error, settings)}`);
    return exitCodes.failed;
  }
}

/** The start as an event of the log, for programs. */
function startFacts({ urls, metricsUrl }: Running, { routes }: Settings): Facts {
  const ofRoutes = (value: (settings: Values) => string) =>
    Object.fromEntries(routes.map(({ id, settings }) => [id, value(settings)]));
  return {
    version,
    addresses: urls,
    metrics: metricsUrl,
    upstreams: ofRoutes((settings) => registriesOf(settings) ?? 'the built-in sample registry'),
    forms: ofRoutes(({ REGSHIFT_FORMAT: form }) => form),
  };
}

/** The first lines of `serve`, for a person: the registries that it serves, or requests to try with the samples. */
export function greeting(urls: readonly string[], settings: Settings, env: Io['env']): string {
  const served = settings.routes.flatMap(({ id, settings: own }) => {
    const registries = registriesOf(own);
    return registries === undefined ? [] : [id === 'all' ? registries : `${registries} (${id})`];
  });
  if (served.length > 0) return `regshift serves ${served.join('\n  and ')} on ${urls.join(', ')}\n`;
  const [listens = ''] = urls;
  // A client on this machine types its own address: Docker wants TLS from 0.0.0.0, but not from 127.0.0.0/8.
  const url = listens.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
  const host = new URL(url).host;
  const isAsked = env.REGSHIFT_UPSTREAM?.trim() === 'sample';
  const why = isAsked ? 'because its upstream is sample' : 'because REGSHIFT_UPSTREAM names no other';
  return `regshift serves its built-in sample registry on ${listens}, ${why}.
Try:
${page(settings, url)}  curl -i -H 'Accept:' ${url}/v2/sample/oci/manifests/latest
      an OCI image as Docker 1.6 to 1.9 get it: signed schema 1
  curl -i -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' ${url}/v2/sample/index/manifests/latest
      one image of an OCI index, as Docker schema 2
  docker pull ${host}/sample/generic
      an image stored as the generic manifest of 2015, for any Docker
In front of your own registry: ${ownRegistryAdvice(env)}
`;
}

/** The line about the page, if there is one. */
function page({ REGSHIFT_PAGE: mode }: Settings, url: string): string {
  return mode === 'off' ? '' : `  ${url} in a browser\n      what each client gets for an image, and why\n`;
}

/**
 * Ends the process with an exit code, after the last lines of the log. The first call decides.
 * @param cut breaks off the responses in transit.
 */
function createExit(nodeLog: NodeLog, cut: () => void): (code: number) => void {
  let isEnding = false;
  return (code) => {
    if (isEnding) return;
    isEnding = true;
    cut();
    void nodeLog.flush().then(() => endProcess(code, hasFileOperations() || nodeLog.isWriting()));
  };
}
