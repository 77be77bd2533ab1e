import { systemWallClock } from '../clock.ts';
import type { RuntimePlatform } from '../compose/platform.ts';
import { isDeadline, pause } from '../concurrency/deadline.ts';
import { discard } from '../upstream/body.ts';
import { type Fetch, type FetchInit, isRepeatable } from '../upstream/send.ts';
import { type Io, printNote } from './terminal/io.ts';
import { createStatusLine } from './terminal/progress.ts';
import { withFetch } from './with-fetch.ts';

/** The longest `Retry-After` that a command waits for: limits of pulls end after hours. */
const longestSeconds = 60;

/** Tries of one request, as in skopeo (containers/image 5.22, docker/docker_client.go, `backoffNumIterations`). */
const mostTries = 5;

/** Notes by the statuses that `Retry-After` goes with (RFC 6585, section 4; RFC 9110, section 15.6.4). */
const notes: ReadonlyMap<number, (host: string, seconds: number) => string> = new Map([
  [429, (host, seconds) => `${host} limits requests (429), next try in ${seconds} s`],
  [503, (host, seconds) => `${host} is not available (503), next try in ${seconds} s`],
]);

/**
 * Makes a platform wait where a server limits requests (429), or is overloaded or in maintenance (503), and says for how
 * long. Without the waits, one such answer in the middle ends a copy or a check of many images.
 */
export function withRetryAfterWaits(platform: RuntimePlatform, io: Io): RuntimePlatform {
  return withFetch(platform, (fetch) => waiting(fetch, io));
}

function waiting(send: Fetch, io: Io): Fetch {
  // A request that was refused at its last try ends the waits of all others, until the server takes one.
  let isHopeless = false;
  return async (url, init) => {
    for (let tries = 1; ; tries += 1) {
      const response = await send(url, init);
      const note = notes.get(response.status);
      if (note === undefined) {
        isHopeless = false;
        return response;
      }
      const seconds = retryAfterSeconds(response.headers.get('retry-after'));
      if (tries === mostTries) isHopeless = true;
      // An upload of a stream has its own tries.
      if (seconds === undefined || seconds > longestSeconds || isHopeless || !isRepeatable(init))
        return response;
      await discard(response);
      // The refusal tells more than a deadline that passes during the wait.
      if (!(await waitFor(seconds, note(new URL(url).host, seconds), init, io)))
        return new Response(null, response);
    }
  };
}

/** Reads `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3). @returns at least 1; undefined for none. */
export function retryAfterSeconds(text: string | null | undefined): number | undefined {
  if (!text) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - systemWallClock().getTime()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(1, Math.ceil(seconds));
}

/** @returns false if the time for the request is over first. */
async function waitFor(seconds: number, text: string, { signal }: FetchInit, io: Io): Promise<boolean> {
  const line = io.errorColumns === undefined ? undefined : createStatusLine(io, io.errorColumns);
  if (line) line.show(text);
  else printNote(io, text);
  try {
    await pause(seconds * 1000, signal ?? undefined);
    return true;
  } catch (error) {
    if (signal && isDeadline(signal)) return false;
    throw error;
  } finally {
    line?.clear();
  }
}
