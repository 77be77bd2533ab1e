import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import worker from '../../src/runtime/worker/entry.ts';

const namespace = (env as unknown as { RECIPES: KVNamespace }).RECIPES;
const schema2 = 'application/vnd.docker.distribution.manifest.v2+json';

/** What an isolate keeps is kept by its bindings: other bindings, another isolate's memory. */
function isolate(variables: Record<string, unknown>) {
  const bindings = { LOG_LEVEL: 'error', ...variables };
  return (path: string, headers: Record<string, string>) =>
    worker.fetch(new Request(`https://regshift.test${path}`, { headers }), bindings);
}

/** Another location: its Cache API knows nothing of this one's. */
function elsewhere(): void {
  const empty = { match: async () => undefined, put: async () => {} } as unknown as Cache;
  vi.spyOn(caches, 'open').mockResolvedValue(empty);
}

afterEach(() => vi.restoreAllMocks());

async function digestFrom(ask: ReturnType<typeof isolate>): Promise<string> {
  const told = await ask('/v2/sample/oci/manifests/1.0', { Accept: schema2 });
  return told.headers.get('docker-content-digest') ?? '';
}

test('a digest given out by one isolate is served by another that shares KV alone', async () => {
  const settings = { RECIPES: namespace, REGSHIFT_WALK_TAGS: '0' };
  const digest = await digestFrom(isolate(settings));
  elsewhere();
  const again = await isolate(settings)(`/v2/sample/oci/manifests/${digest}`, { Accept: schema2 });
  expect(again.status).toBe(200);
  expect(again.headers.get('docker-content-digest')).toBe(digest);
});

test('without KV the bounded search finds it, and without that nobody', async () => {
  const digest = await digestFrom(isolate({}));
  elsewhere();
  const path = `/v2/sample/oci/manifests/${digest}`;
  expect((await isolate({})(path, { Accept: schema2 })).status).toBe(200);
  expect((await isolate({ REGSHIFT_WALK_TAGS: '0' })(path, { Accept: schema2 })).status).toBe(404);
});

test('a bad setting answers every request with all problems', async () => {
  const broken = isolate({ REGSHIFT_FORMAT: 'v1', REGSHIFT_TAG_TTL: 'soon' });
  for (const path of ['/v2/', '/healthz', '/v2/a/manifests/b']) {
    const answer = await broken(path, {});
    expect(answer.status).toBe(503);
    const text = await answer.text();
    expect(text).toContain('REGSHIFT_FORMAT');
    expect(text).toContain('REGSHIFT_TAG_TTL');
  }
});
