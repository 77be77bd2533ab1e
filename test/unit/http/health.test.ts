import { expect, it } from 'vitest';
import { createHealth } from '../../../src/http/health.ts';
import type { UpstreamClient } from '../../../src/upstream/client.ts';

it.each([
  [200, 'answers'],
  [401, 'answers'],
  [400, 'answers 400'],
  [404, 'answers 404'],
  [429, 'answers'],
  [503, 'answers 503'],
])('a registry whose /v2/ answers %i is reported as: %s', async (status, state) => {
  const client: UpstreamClient = {
    id: 'https://registry.test',
    request: async () => ({ response: new Response(null, { status }), anonymous: true, refused: false }),
  };
  const background = () => undefined;
  const routes = [{ id: 'hub', client, upstreams: [{ client }] }];
  const health = createHealth({ routes, caches: [], clock: () => 0, background });
  expect((await health.report()).upstreams).toEqual({ hub: state });
});

it('each of several registries has its own state', async () => {
  const answering = (status: number, id: string): UpstreamClient => ({
    id,
    request: async () => ({ response: new Response(null, { status }), anonymous: true, refused: false }),
  });
  const [one, two] = [answering(200, 'https://one.test'), answering(503, 'https://two.test')];
  const routes = [{ id: 'all', client: one, upstreams: [{ client: one }, { client: two }] }];
  const health = createHealth({ routes, caches: [], clock: () => 0, background: () => undefined });
  expect((await health.report()).upstreams).toEqual({
    all: 'answers',
    'all https://one.test': 'answers',
    'all https://two.test': 'answers 503',
  });
});

it.each([
  [[200, 503], 'answers'],
  [[503, 401], 'answers'],
  [[503, 'hangs'], 'not asked yet'],
  [['hangs', 200], 'answers'],
  [[503, 404], 'answers 503'],
] as const)('a route whose mirrors answer %j is reported as: %s', async (statuses, state) => {
  const requests: string[] = [];
  const clients = statuses.map((status, index): UpstreamClient => {
    const id = `https://mirror-${index}.test`;
    const request = async () => {
      requests.push(id);
      if (status === 'hangs') return new Promise<never>(() => {});
      return { response: new Response(null, { status }), anonymous: true, refused: false };
    };
    return { id, request };
  });
  const together: UpstreamClient = {
    id: 'together',
    request: () => Promise.reject(new Error('each mirror is asked once')),
  };
  const routes = [{ id: 'all', client: together, upstreams: clients.map((client) => ({ client })) }];
  const health = createHealth({ routes, caches: [], clock: () => 0, background: () => undefined });
  expect((await health.report()).upstreams.all).toBe(state);
  expect(requests).toEqual(clients.map(({ id }) => id));
});
