import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readSigningKey } from '../../../converters/schema1/signing-key.ts';
import { createApp } from '../../app.ts';
import type { UpstreamLogin } from '../../auth/upstream-login.ts';
import { compose } from '../../compose.ts';
import type { Settings } from '../../config/settings.ts';
import { Failure } from '../../errors.ts';
import { createJsonLog, type Log } from '../../observability/log.ts';
import { createListener } from './listener.ts';
import { nodePlatform, signingKeyText } from './platform.ts';
import type { SharedCache } from './redis/shared-cache.ts';

export interface Running {
  /** Like `http://127.0.0.1:8080`. */
  readonly url: string;
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
    const server = await start(settings, log, shared);
    const { address, port, family } = server.address() as AddressInfo;
    return {
      url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
      close: async () => {
        await close(server);
        await shared?.close();
      },
    };
  } catch (error) {
    await shared?.close();
    throw error;
  }
}

async function start(settings: Settings, log: Log, shared: SharedCache | undefined): Promise<Server> {
  const dependencies = compose(settings, { ...nodePlatform(log), tiers: shared ? [shared.tier] : [] });
  // A key that cannot be read should stop the start, not the first pull; and so should a program that is not there.
  await dependencies.signingKey();
  await Promise.all(dependencies.sites.map(({ login }) => tryLogin(login, log)));
  const app = createApp(dependencies);
  return new Promise<Server>((resolve, reject) => {
    const server = createServer(serverOptions, createListener(app));
    server.once('error', reject);
    server.listen(settings.PORT, settings.HOST, () => resolve(server));
  });
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
