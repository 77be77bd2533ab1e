import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import worker from '../../src/runtime/worker/entry.ts';
import type { Fetch } from '../../src/upstream/client.ts';
import { testSigningKey } from '../support/signing-key.ts';
import { upstreamUrl } from '../support/upstream-url.ts';

export const namespace = (env as unknown as { RECIPES: KVNamespace }).RECIPES;

const isolateDefaults = {
  LOG_LEVEL: 'error',
  REGSHIFT_UPSTREAM: 'sample',
  REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
};

export type Ask = (path: string, headers?: Iterable<readonly [string, string]>) => Promise<Response>;

/**
 * Creates an isolate in front of the sample registry, unless the bindings name another one. The Worker keeps its state per
 * bindings object, so a new object stands for a new isolate.
 */
export function isolate(bindings: Record<string, unknown> = {}): Ask {
  const own = { ...isolateDefaults, ...bindings };
  return async (path, headers = []) => {
    const lines = new Headers();
    for (const [name, value] of headers) lines.append(name, value);
    return worker.fetch(new Request(`https://regshift.test${path}`, { headers: lines }), own);
  };
}

/**
 * Replaces the network of all isolates by `fetch`.
 * @returns the bindings for it.
 */
export function behind(fetch: Fetch): { REGSHIFT_UPSTREAM: string } {
  vi.stubGlobal('fetch', fetch);
  return { REGSHIFT_UPSTREAM: upstreamUrl };
}

/** Moves the following requests to another location, whose Cache API is empty and keeps nothing. */
export function moveToAnotherLocation(): void {
  const empty = { match: async () => undefined, put: async () => {} } as unknown as Cache;
  vi.spyOn(caches, 'open').mockResolvedValue(empty);
}
