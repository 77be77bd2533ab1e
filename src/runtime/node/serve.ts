import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readSigningKey } from '../../../converters/schema1/signing-key.ts';
import { createApp } from '../../app.ts';
import type { UpstreamLogin } from '../../auth/upstream-login.ts';
import { compose } from '../../compose.ts';
import type { Settings } from '../../config/settings.ts';
import { Failure } from '../../errors.ts';
import { createJsonLog, type Log } from '../../observability/log.ts';
import { createListener, type Listener } from './listener.ts';
import { nodePlatform, signingKeyText } from './platform.ts';
import type { SharedCache } from './redis/shared-cache.ts';

export interface Running {
  /** Like `http://127.0.0.1:8080`. */
  readonly url: string;
  /** One for each port, in the order of `portsOf`. */
  readonly urls: readonly string[];
  /** Ends at once; open requests are cut. */
  close(): Promise<void>;
}

/**
 * Starts the proxy on Node.
 * @throws the system's error when the address cannot be listened on; ConversionError when the key is unreadable.
 */
export async function serve(settings: Settings, log: Log = stdoutLog(settings)): Promise<Running> {
  const shared = await openShared(settings, log);
  try {
    const servers = await start(settings, log, shared);
    const urls = servers.map(urlOf);
    const closeAll = async () => {
      await Promise.all(servers.map(close));
      await shared?.close();
    };
    return { url: urls[0] ?? '', urls, close: closeAll };
  } catch (error) {
    await shared?.close();
    throw error;
  }
}

async function start(
  settings: Settings,
  log: Log,
  shared: SharedCache | undefined,
): Promise<readonly Server[]> {
  const dependencies = compose(settings, { ...nodePlatform(log), tiers: shared ? [shared.tier] : [] });
  // A key that cannot be read should stop the start, not the first pull; and so should a program that is not there.
  await dependencies.signingKey();
  await Promise.all(dependencies.sites.map(({ login }) => tryLogin(login, log)));
  const listener = createListener(createApp(dependencies));
  const servers: Server[] = [];
  try {
    for (const port of portsOf(settings)) servers.push(await listenAt(settings.HOST, port, listener));
    return servers;
  } catch (error) {
    await Promise.all(servers.map(close));
    throw error;
  }
}

/** Every port that a route names, and before them PORT, unless nothing is to be had there. */
export function portsOf({ PORT, routes }: Settings): readonly number[] {
  const anywhere = routes.some(({ match }) => match.ports.length === 0);
  return [...new Set([...(anywhere ? [PORT] : []), ...routes.flatMap(({ match }) => match.ports)])];
}

function listenAt(host: string, port: number, listener: Listener): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(serverOptions, listener);
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Its client takes a tenth of a second to load, which is for those who have a Redis. */
async function openShared(settings: Settings, log: Log): Promise<SharedCache | undefined> {
  const { REGSHIFT_REDIS_URL: url, REGSHIFT_SIGNING_KEY: key } = settings;
  if (url === undefined || key === undefined) return undefined;
  const { openSharedCache } = await import('./redis/shared-cache.ts');
  return openSharedCache(url, settings, await readSigningKey(await signingKeyText(key)), log);
}

/**
 * Node ends a request whose body takes more than five minutes: a layer over a slow line takes longer. What ends an
 * upload whose client is gone is TCP; who only opens connections has a minute for the headers.
 */
const serverOptions = { requestTimeout: 0, headersTimeout: 60_000, keepAlive: true };

/** What a cloud does not give now it may give in a minute; a program that is not installed stays away. */
async function tryLogin(login: UpstreamLogin, log: Log): Promise<void> {
  if (login === 'passthrough' || login.kind !== 'kept') return;
  try {
    await login.keeper.current();
  } catch (error) {
    if (!(error instanceof Failure) || error.detail?.reason === 'NO_PROGRAM') throw error;
    log('warn', error.message, { consequence: 'it is asked for again with the next request' });
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}

export function stdoutLog(settings: Settings): Log {
  return createJsonLog(settings.LOG_LEVEL, Date.now, (line) => process.stdout.write(`${line}\n`));
}
