import { systemClock } from '../../clock.ts';
import type { RuntimePlatform } from '../../compose/platform.ts';
import type { Fetch } from '../../upstream/send.ts';
import { withFetch } from '../with-fetch.ts';
import { type Io, printNote } from './io.ts';

/** Makes a platform print each request on standard error, if `--verbose` asks for that. */
export function tracedPlatform<Platform extends RuntimePlatform>(
  platform: Platform,
  { verbose }: { readonly verbose?: true | undefined },
  io: Io,
): Platform {
  if (!verbose) return platform;
  return withFetch(platform, (fetch) => tracedFetch(fetch, io));
}

function tracedFetch(send: Fetch, io: Io): Fetch {
  return async (url, init) => {
    const started = systemClock();
    const print = (result: string) => {
      const ms = Math.round(systemClock() - started);
      printNote(io, `${init.method} ${withoutSecrets(url)}: ${result.replaceAll('\n', ' ')}, ${ms} ms`);
    };
    try {
      const response = await send(url, init);
      print(`${response.status} ${response.headers.get('content-type') ?? ''}`.trimEnd());
      return response;
    } catch (error) {
      print(error instanceof Error ? error.message : String(error));
      throw error;
    }
  };
}

/** The URL without its query: storage puts signatures there, and token servers get accounts. */
function withoutSecrets(text: string): string {
  const { origin, pathname, search } = new URL(text);
  return `${origin}${pathname}${search === '' ? '' : '?…'}`;
}
