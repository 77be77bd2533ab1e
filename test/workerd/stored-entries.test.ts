import { afterEach, describe, test, vi } from 'vitest';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import type { Fetch } from '../../src/upstream/client.ts';
import { expectStoredDigests } from '../support/expect-stored-digests.ts';
import { goldenBytes } from '../support/golden.ts';
import { requestText } from '../support/request-text.ts';
import { entriesOf, type Kept, parseStoredEntries } from '../support/stored-entries.ts';
import { isolate, moveToAnotherLocation, namespace } from './isolate.ts';

const stored = parseStoredEntries(goldenBytes('stored-by-0.1/kv.json'));

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  for (const { name } of (await namespace.list()).keys) await namespace.delete(name);
});

describe(`a KV namespace that version ${stored.version} filled`, () => {
  const cases: readonly Kept[] = ['all', 'without documents'];
  test.each(cases)('leads to every digest that was served, without a search: %s', async (kept) => {
    for (const [name, value] of entriesOf(stored, kept)) await namespace.put(name, value);
    moveToAnotherLocation();
    const samples = createSampleRegistry();
    const requests: string[] = [];
    const upstream: Fetch = async (href, init) => {
      const { origin, pathname } = new URL(href);
      const range = new Headers(init?.headers).get('range');
      requests.push(requestText(init?.method ?? 'GET', pathname, range));
      if (origin !== stored.upstream) throw new TypeError('fetch failed');
      return samples.fetch(href, init);
    };
    vi.stubGlobal('fetch', upstream);
    const send = isolate({
      RECIPES: namespace,
      REGSHIFT_UPSTREAM: stored.upstream,
      REGSHIFT_SIGNING_KEY: stored.signingKey,
    });
    const ask = (path: string, headers: Record<string, string>) => send(path, Object.entries(headers));
    await expectStoredDigests(stored, kept, ask, requests);
  });
});
