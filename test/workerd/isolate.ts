import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import worker from '../../src/runtime/worker/entry.ts';
import type { Fetch } from '../../src/upstream/client.ts';
import { testSigningKey } from '../support/signing-key.ts';
import { upstreamUrl } from '../support/upstream-url.ts';

export const namespace = (env as unknown as { RECIPES: KVNamespace }).RECIPES;

export type Ask = (path: string, headers?: Iterable<readonly [string, string]>) => Promise<Response>;

/** An isolate keeps its state by its bindings: other bindings are another isolate to the tests. */
export function isolate(bindings: Record<string, unknown> = {}): Ask {
  const own = { LOG_LEVEL: 'error', REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey), ...bindings };
  return async (path, headers = []) => {
    const lines = new Headers();
    for (const [name, value] of headers) lines.append(name, value);
    return worker.fetch(new Request(`https://regshift.test${path}`, { headers: lines }), own);
  };
}

/** The network of all isolates from now on. @returns the bindings for it. */
export function behind(fetch: Fetch): { REGSHIFT_UPSTREAM: string } {
  vi.stubGlobal('fetch', fetch);
  return { REGSHIFT_UPSTREAM: upstreamUrl };
}

/** Another location: its Cache API knows nothing of this one's, and forgets at once. */
export function elsewhere(): void {
  const empty = { match: async () => undefined, put: async () => {} } as unknown as Cache;
  vi.spyOn(caches, 'open').mockResolvedValue(empty);
}
