import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { holding, network } from '../support/network.ts';
import { isolate, namespace } from './isolate.ts';

const a = 'https://a.test';
const b = 'https://b.test';
const config = {
  upstreamAuth: 'anonymous',
  routes: [
    { match: { path: 'a/' }, upstream: a },
    { match: { host: 'b.regshift.test' }, upstream: b },
  ],
};

function twoRegistries() {
  const registries = network({ [a]: holding({ x: 'sample/oci' }), [b]: holding({ x: 'sample/oci' }) });
  vi.stubGlobal('fetch', registries.fetch);
  return registries;
}

describe('the configuration of a Worker', () => {
  beforeEach(() => void vi.spyOn(console, 'log').mockReturnValue(undefined));

  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it.each<[where: string, value: unknown]>([
    ['a table of wrangler.toml', config],
    ['a text', JSON.stringify(config)],
    ['a key of KV', 'regshift.json'],
  ])('can be %s', async (_, value) => {
    await namespace.put('regshift.json', JSON.stringify(config));
    const registries = twoRegistries();
    const ask = isolate({ REGSHIFT_CONFIG: value, RECIPES: namespace });
    // The requests start together, while the first one still waits for KV.
    const answers = await Promise.all([1, 2, 3].map(() => ask('/v2/a/x/tags/list')));
    for (const answer of answers) expect(await answer.json()).toMatchObject({ name: 'a/x' });
    expect((await ask('/v2/x/tags/list')).status).toBe(404);
    expect(registries.at(b)).toEqual([]);
  });

  it.each<[what: string, bindings: Record<string, unknown>, message: string]>([
    [
      'a missing key',
      { REGSHIFT_CONFIG: 'nothing.json', RECIPES: namespace },
      'REGSHIFT_CONFIG is "nothing.json": it must be JSON, or a key that there is in the KV namespace bound as ' +
        'RECIPES (deploy/cloudflare.md)',
    ],
    [
      'a key without KV',
      { REGSHIFT_CONFIG: 'regshift.json' },
      'REGSHIFT_CONFIG is "regshift.json": it must be JSON, or a key that there is in the KV namespace bound as ' +
        'RECIPES (deploy/cloudflare.md)',
    ],
    [
      'a text that is too long for a key',
      { REGSHIFT_CONFIG: `upstreamPassword: ${'x'.repeat(600)}`, RECIPES: namespace },
      'REGSHIFT_CONFIG is not shown, because it may hold a secret: it must be JSON, or a key that there is in the KV ' +
        'namespace bound as RECIPES (deploy/cloudflare.md); KV could not be read: Error: KV GET failed: 414',
    ],
    ['no JSON', { REGSHIFT_CONFIG: '{ routes: }' }, 'REGSHIFT_CONFIG must be YAML or JSON'],
    [
      'a secret in a file',
      { REGSHIFT_CONFIG: { upstreamPasswordFile: '/run/secrets/x' } },
      'upstreamPasswordFile in REGSHIFT_CONFIG must be left out: there are no files here',
    ],
  ])('%s makes every response the list of problems', async (_, bindings, message) => {
    const answer = await isolate(bindings)('/v2/');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain(JSON.stringify(message).slice(1, -1));
  });

  it('is read again ten seconds after KV had no file, failed or was silent', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    twoRegistries();
    const get = vi.fn<(key: string) => Promise<string | null>>();
    const ask = isolate({ REGSHIFT_CONFIG: 'regshift.json', RECIPES: { get, put: async () => {} } });
    const told = async () => (await ask('/v2/a/x/tags/list')).text();
    get.mockResolvedValue(null);
    expect(await told()).toContain('must be JSON, or a key');
    get.mockRejectedValue(new Error('KV GET failed: 500'));
    expect(await told()).not.toContain('KV could not be read');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await told()).toContain('KV could not be read: Error: KV GET failed: 500');
    await vi.advanceTimersByTimeAsync(10_000);
    get.mockReturnValue(new Promise(() => {}));
    const late = told();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await late).toContain('KV could not be read: Error: no answer in 10 s');
    get.mockResolvedValue(JSON.stringify(config));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(JSON.parse(await told())).toMatchObject({ name: 'a/x' });
    const asked = get.mock.calls.filter(([key]) => key === 'regshift.json').length;
    await vi.advanceTimersByTimeAsync(100_000);
    await told();
    expect(get.mock.calls.filter(([key]) => key === 'regshift.json')).toHaveLength(asked);
  });
});
