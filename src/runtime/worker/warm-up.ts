import { mediaTypes } from '../../../converters/media-types.ts';
import { systemWallClock } from '../../clock.ts';
import { compose } from '../../compose/compose.ts';
import { readSettings } from '../../config/settings.ts';
import { createJsonLog } from '../../observability/log.ts';
import { fetchWithHeaders } from '../web/fetch-with-headers.ts';
import { webPlatform } from '../web/platform.ts';
import { startApp } from '../web/start-app.ts';
import { createEdgeCache } from './edge-cache.ts';
import { createWarmUpRegistry } from './warm-up-registry.ts';

/** Docker without OCI, which gets signed schema 1, and a client of today, which gets what is stored. */
const clients = {
  old: { 'User-Agent': 'docker/1.9.1 go/go1.4.2 git-commit/a34a1d5 kernel/4.9.0 os/linux arch/amd64' },
  new: { 'User-Agent': 'containerd/2.1.0', Accept: `${mediaTypes.ociIndex}, ${mediaTypes.ociManifest}, */*` },
};

const peerAddress = '127.0.0.1';

/** The most turns of the queue of microtasks: a warm-up takes about 600. */
const mostTurns = 20_000;

/**
 * Answers requests of an old and a new client for an image in memory, so that V8 has compiled the code when the first
 * request comes: the first manifest that an isolate converts takes about half of the CPU then. On the free plan, a request
 * may take 10 ms of it. The start may take a second (Cloudflare, "Limits", Worker startup time).
 *
 * Nothing of the warm-up is kept but the compiled code: its app has its own settings, key and caches. It neither fails nor
 * hangs, because a Worker whose module does not end its evaluation does not start.
 * @returns the statuses of its responses; undefined where it did not end.
 */
export async function warmUp(): Promise<readonly number[] | undefined> {
  const { setTimeout, clearTimeout } = globalThis;
  try {
    Object.assign(globalThis, {
      setTimeout: whereAllowed(setTimeout),
      clearTimeout: whereAllowed(clearTimeout),
    });
    return await Promise.race([answerRequests(), turns(mostTurns)]);
  } catch {
    return undefined;
  } finally {
    // An app around this Worker may have changed them, or forbidden to change them.
    Reflect.set(globalThis, 'setTimeout', setTimeout);
    Reflect.set(globalThis, 'clearTimeout', clearTimeout);
  }
}

/**
 * Workers refuse timers outside of a request. A timer that never fires is right for work that waits for nothing. Other
 * modules may be evaluated meanwhile, and keep what they find here: it works within their requests.
 */
function whereAllowed(timer: (...args: never[]) => unknown) {
  return (...args: unknown[]) => {
    try {
      return Reflect.apply(timer, globalThis, args);
    } catch {
      return 0;
    }
  };
}

/** Ends after a number of turns of the queue of microtasks, the only measure of time that there is at the start. */
async function turns(count: number): Promise<undefined> {
  for (let turn = 0; turn < count; turn += 1) await undefined;
}

async function answerRequests(): Promise<number[]> {
  const { fetch, image, blob } = createWarmUpRegistry();
  const read = readSettings({
    REGSHIFT_UPSTREAM: 'https://registry.invalid',
    // The id of a request is made of random bytes, which Workers refuse here; that of a trusted proxy is not.
    REGSHIFT_TRUSTED_PROXIES: peerAddress,
  });
  if ('problems' in read) return [];
  const { settings } = read;
  const pending: Promise<unknown>[] = [];
  const background = (work: Promise<unknown>) => void pending.push(work);
  const log = createJsonLog('info', systemWallClock, () => undefined);
  const platform = webPlatform(settings, { fetch, log, background });
  const cache = { match: async () => undefined, put: async () => undefined };
  const tiers = [
    { name: 'edge', cache: createEdgeCache(async () => cache, log, background), accepts: () => true },
  ];
  const app = await startApp(settings, compose(settings, { ...platform, tiers }));
  const statuses: number[] = [];
  const ask = async (path: string, client: Readonly<Record<string, string>>) => {
    const headers = { ...client, 'X-Request-Id': 'warm-up' };
    // Workers refuse a response with bytes here, and all of the work is done for a HEAD, too.
    const request = new Request(`http://regshift.invalid/v2/image/${path}`, { method: 'HEAD', headers });
    statuses.push((await fetchWithHeaders(app, request, { peerAddress })).status);
  };
  await ask('manifests/latest', clients.old);
  await ask('manifests/latest', clients.new);
  await ask(`manifests/${image}`, clients.new);
  await ask(`blobs/${blob}`, clients.new);
  await Promise.allSettled(pending);
  return statuses;
}
