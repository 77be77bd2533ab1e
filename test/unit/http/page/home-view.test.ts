import { describe, expect, it } from 'vitest';
import type { HealthReport } from '../../../../src/http/health.ts';
import { healthHtml } from '../../../../src/http/page/home-view.ts';

const fine: HealthReport = { ready: true, caches: {}, upstreams: { all: 'answers' } };

async function textOf(report: Partial<HealthReport>): Promise<string> {
  const shown = String(await healthHtml({ ...fine, ...report }));
  return shown.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ');
}

describe('the health', () => {
  it.each<[string, Partial<HealthReport>]>([
    ['Healthy: the registry answers.', {}],
    ['Healthy: all 2 registries answer.', { upstreams: { one: 'answers', two: 'answers' } }],
    ['The proxy is up. No answer of the registry yet.', { upstreams: { all: 'not asked yet' } }],
    ['The registry cannot be reached (UPSTREAM_TIMEOUT).', { upstreams: { all: 'UPSTREAM_TIMEOUT' } }],
    [
      '1 of 2 registries cannot be reached (answers 404).',
      { upstreams: { one: 'answers', two: 'answers 404' } },
    ],
    [
      'Healthy: the registry answers. 1 of 2 mirrors cannot be reached (UPSTREAM_UNREACHABLE): the others stand in.',
      {
        upstreams: {
          all: 'answers',
          'all http://one.test': 'answers',
          'all https://two.test/hub': 'UPSTREAM_UNREACHABLE',
        },
      },
    ],
    [
      'The registry cannot be reached (UPSTREAM_TIMEOUT).',
      {
        upstreams: {
          all: 'UPSTREAM_TIMEOUT',
          'all http://one.test': 'UPSTREAM_TIMEOUT',
          'all https://two.test': 'answers 503',
        },
      },
    ],
    ['Without its cache: redis.', { caches: { redis: 'away', kv: 'here' } }],
    ['The proxy is stopping.', { ready: false }],
  ])('%s', async (text, report) => {
    expect(await textOf(report)).toContain(text);
  });

  it('has what was checked and what was not, whatever was found', async () => {
    for (const state of ['answers', 'not asked yet', 'UPSTREAM_TIMEOUT']) {
      const text = await textOf({ upstreams: { all: state } });
      expect(text).toContain('a request for /v2/ of the registry without a login');
      expect(text).toContain('It checks no login and no image.');
    }
  });
});
