import type { RuntimePlatform } from '../../compose/platform.ts';
import { pause } from '../../concurrency/deadline.ts';
import { discard } from '../../upstream/body.ts';
import type { Fetch, FetchInit } from '../../upstream/send.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { createStatusLine } from '../terminal/progress.ts';

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
export function withRateLimitWaits(platform: RuntimePlatform, io: Io): RuntimePlatform {
  const { fetch, fetchOver } = platform;
  return {
    ...platform,
    fetch: waiting(fetch, io),
    ...(fetchOver ? { fetchOver: (connection) => waiting(fetchOver(connection), io) } : {}),
  };
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
      const seconds = secondsToWait(response);
      if (tries === mostTries) isHopeless = true;
      if (seconds === undefined || isHopeless || !mayBeSentAgain(init)) return response;
      await discard(response);
      await waitFor(seconds, note(new URL(url).host, seconds), init, io);
    }
  };
}

/** A stream can be sent once. An upload has its own tries. */
function mayBeSentAgain({ body }: FetchInit): boolean {
  return body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array;
}

/** Reads `Retry-After` in seconds, at least 1. @returns undefined for none, a date (RFC 9110, section 10.2.3) or a long wait. */
function secondsToWait({ headers }: Response): number | undefined {
  const text = headers.get('retry-after') ?? '';
  if (!/^\d+$/.test(text)) return undefined;
  const seconds = Math.max(1, Number(text));
  return seconds <= longestSeconds ? seconds : undefined;
}

async function waitFor(seconds: number, text: string, { signal }: FetchInit, io: Io): Promise<void> {
  const line = io.errorColumns === undefined ? undefined : createStatusLine(io, io.errorColumns);
  if (line) line.show(text);
  else printNote(io, text);
  await pause(seconds * 1000, signal ?? undefined);
  line?.clear();
}
