import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { parse } from 'yaml';
import { tableNames } from '../../../../../src/cache/table-shares.ts';
import { withDeadline } from '../../../../../src/concurrency/deadline.ts';
import { readSettings } from '../../../../../src/config/settings.ts';
import { noMetrics } from '../../../../../src/observability/metrics.ts';
import { createPrometheusMetrics } from '../../../../../src/runtime/node/metrics/prometheus.ts';
import { serve } from '../../../../../src/runtime/node/serve.ts';
import { meteredFetch } from '../../../../../src/upstream/send.ts';
import { checkedSettings } from '../../../../support/checked-settings.ts';
import { freePort } from '../../../../support/daemon.ts';
import { testMemory } from '../../../../support/memory.ts';
import { rawRequest } from '../../../../support/raw-http.ts';
import { testSigningKey } from '../../../../support/signing-key.ts';

const root = join(import.meta.dirname, '../../../../..');

async function start(variables: Record<string, string> = {}) {
  const read = readSettings({
    PORT: '0',
    REGSHIFT_METRICS_PORT: '0',
    REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
    ...variables,
  });
  const running = await serve(await checkedSettings(read), () => {});
  onTestFinished(() => running.close());
  const port = Number(new URL(running.url).port);
  const get = (path: string) => rawRequest({ port, method: 'GET', path, headers: [] });
  const metrics = async () => (await fetch(`${running.metricsUrl}/metrics`)).text();
  return { ...running, port, get, metrics };
}

it('say what they count, in which unit', async () => {
  const { metrics } = await start();
  const described = [...(await metrics()).matchAll(/^# HELP (regshift_\S+) (.*)$/gm)];
  expect(described.length).toBeGreaterThan(25);
  for (const [, name = '', help = ''] of described) {
    expect(help, name).toMatch(/^[A-Z].{20,}[^.]\.$/);
    for (const unit of ['bytes', 'seconds'])
      if (new RegExp(`_${unit}\\b|_${unit}_total$`).test(name))
        expect(help.toLowerCase(), name).toContain(unit);
  }
});

it('are read by GET and HEAD alone, which a 405 says', async () => {
  const { metricsUrl } = await start();
  const { status, headers } = await fetch(`${metricsUrl}/metrics`, { method: 'POST' });
  expect([status, headers.get('Allow')]).toEqual([405, 'GET, HEAD']);
});

it('count requests, responses and upstream requests', async () => {
  const { get, metrics, url, metricsUrl } = await start();
  for (const _ of [1, 2]) expect((await get('/v2/sample/oci/manifests/latest')).status).toBe(200);
  await get('/v2/sample/nothing/manifests/latest');
  await get('/nowhere/at/all');
  await expect.poll(metrics).toContain('regshift_requests_total{route="none",resource="none",code="404"} 1');
  const text = await metrics();
  for (const line of [
    'regshift_requests_total{route="all",resource="manifest",code="200"} 2',
    'regshift_requests_total{route="all",resource="manifest",code="404"} 1',
    'regshift_conversions_total{from="oci",to="schema1",result="made"} 1',
    'regshift_request_duration_seconds_count{resource="manifest"} 3',
    'regshift_requests_under_way 0',
    'regshift_streams_under_way 0',
    'regshift_layers_reading 0',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).toMatch(/^regshift_upstream_requests_total\{route="all",code="2xx"\} [1-9]/m);
  expect(text).toMatch(/^regshift_cache_requests_total\{tier="memory",result="miss"\} [1-9]/m);
  expect(text).toMatch(/^regshift_sent_bytes_total\{resource="manifest"\} [1-9]\d{3}/m);
  expect(text).toMatch(/^regshift_build_info\{version="[^"]+",node="[^"]+"\} 1$/m);
  expect(text).toMatch(/^process_resident_memory_bytes \d/m);
  expect(text).not.toMatch(/sample|latest|sha256/);
  expect((await fetch(`${url}/metrics`)).status).toBe(404);
  expect((await fetch(`${metricsUrl}/v2/`)).status).toBe(404);
  for (const path of ['/healthz', '/livez', '/readyz', '/metrics']) {
    const { status, headers } = await fetch(`${metricsUrl}${path}`);
    expect(status).toBe(200);
    // In HTTP/1.0, only the length tells a whole response from one that broke off.
    expect(Number(headers.get('content-length'))).toBeGreaterThan(0);
  }
});

it('have a bounded number of series', async () => {
  const { metrics, text } = createPrometheusMetrics();
  for (let n = 0; n < 50; n += 1) {
    metrics.conversion({ from: `application/x-${n}`, to: 'oci', result: 'made', seconds: 1 });
    metrics.upstreamResponse('all', 200 + n, 1);
    metrics.pullsRemaining('all', n, 21_600);
  }
  metrics.tokenRequest('all', false);
  const lines = (await text()).split('\n');
  const of = (name: string) => lines.filter((line) => line.startsWith(`${name}{`));
  expect(of('regshift_conversions_total')).toEqual([
    'regshift_conversions_total{from="other",to="oci",result="made"} 50',
  ]);
  expect(of('regshift_upstream_requests_total')).toEqual([
    'regshift_upstream_requests_total{route="all",code="2xx"} 50',
  ]);
  expect(of('regshift_upstream_pulls_left')).toEqual(['regshift_upstream_pulls_left{route="all"} 49']);
  expect(of('regshift_tokens_total')).toEqual(['regshift_tokens_total{route="all",result="refused"} 1']);
});

it('have no number of pulls after the time for which the registry counts them', async () => {
  let now = 0;
  const { metrics, text } = createPrometheusMetrics(() => now);
  metrics.pullsRemaining('hub', 3, 21_600);
  metrics.pullsRemaining('other', 3, 60);
  now = 21_599_999;
  expect(await text()).toContain('regshift_upstream_pulls_left{route="hub"} 3\n');
  expect(await text()).not.toContain('regshift_upstream_pulls_left{route="other"}');
  now = 21_600_000;
  expect(await text()).not.toContain('regshift_upstream_pulls_left{');
  metrics.pullsRemaining('hub', 100, 21_600);
  expect(await text()).toContain('regshift_upstream_pulls_left{route="hub"} 100\n');
});

it.each([
  ['76;w=60', 76, 60],
  ['76', 76, 21_600],
])('have the pulls of ratelimit-remaining: %s', async (value, pulls, windowSeconds) => {
  const told: unknown[] = [];
  const metrics = { ...noMetrics, pullsRemaining: (...facts: unknown[]) => void told.push(facts) };
  const answer = async () => new Response(null, { headers: { 'ratelimit-remaining': value } });
  await meteredFetch(answer, 'hub', metrics)('https://hub.test/v2/', {});
  expect(told).toEqual([['hub', pulls, windowSeconds]]);
});

it.each([
  ['a client that leaves at once', 'left', 0, []],
  ['a client that leaves after a second', 'left', 1_000, [undefined]],
  ['a deadline', 'late', 0, [undefined]],
  ['a connection that breaks', 'broken', 0, [undefined]],
] as const)('have a request that ends without a response by %s', async (_, end, waitedMs, counted) => {
  const statuses: unknown[] = [];
  const metrics = {
    ...noMetrics,
    upstreamResponse: (_: string, status: unknown) => void statuses.push(status),
  };
  // A whole number: the difference of two fractions may be below 1000.
  const [began, leaving] = [Math.trunc(performance.now()), new AbortController()];
  const clock = vi.spyOn(performance, 'now').mockReturnValue(began);
  onTestFinished(() => clock.mockRestore());
  const fetch = meteredFetch(
    async (_, { signal }) => {
      clock.mockReturnValue(began + waitedMs);
      if (end === 'left') leaving.abort();
      if (end === 'late') await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      throw new TypeError('fetch failed');
    },
    'hub',
    metrics,
  );
  const asked = withDeadline(1, leaving.signal, (signal) => fetch('https://hub.test/v2/', { signal }));
  await expect(asked).rejects.toThrow('fetch failed');
  expect(statuses).toEqual(counted);
});

it('count stale responses by route, from 0 on', async () => {
  const { metrics, text } = createPrometheusMetrics();
  const response = { resource: 'manifest', status: 200, seconds: 1, bytes: 1 };
  metrics.responseSent({ ...response, route: 'all' });
  expect(await text()).toContain('regshift_stale_responses_total{route="all"} 0\n');
  for (const _ of [1, 2]) metrics.responseSent({ ...response, route: 'all', stale: true });
  metrics.responseSent({ ...response, route: 'other' });
  expect(await text()).toContain('regshift_stale_responses_total{route="all"} 2\n');
  expect(await text()).toContain('regshift_stale_responses_total{route="other"} 0\n');
});

it('have the results that alerts are about from the start, because an increase from none is none', async () => {
  const text = await createPrometheusMetrics().text();
  for (const line of [
    'regshift_warmed_total{result="dropped"} 0',
    'regshift_warmed_total{result="refused"} 0',
    'regshift_store_writes_total{result="error"} 0',
  ])
    expect(text.split('\n')).toContain(line);
});

it('count manifests by groups of clients, from the response cache too', async () => {
  const { port, metrics } = await start();
  const ask = (userAgent: string, path = '/v2/sample/oci/manifests/latest') =>
    rawRequest({ port, method: 'GET', path, headers: [['User-Agent', userAgent]] });
  for (const _ of [1, 2, 3]) expect((await ask('docker/1.9.1')).status).toBe(200);
  await ask('docker/1.9.1', '/v2/sample/none/manifests/latest');
  await ask('tool-of-somebody/1.0');
  await expect
    .poll(metrics)
    .toContain('regshift_client_manifests_total{client="docker-1.9",form="converted"} 3\n');
  expect(await metrics()).toContain('regshift_client_manifests_total{client="other",form="converted"} 1\n');
  expect(await metrics()).not.toContain('somebody');
});

it('stand on a page for people, on the port for metrics alone', async () => {
  const { metricsUrl, url, get } = await start();
  await get('/v2/sample/oci/manifests/latest');
  const page = await fetch(`${metricsUrl}/`);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const text = await page.text();
  expect(text).toContain('Who still needs this proxy?');
  expect(text).toContain('Layers in the store, by lookup');
  expect(text).toContain('OCI manifest to schema 1 manifest: made');
  expect(text).toMatch(/Since \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  // Each heading of numbers has a sentence about the thing that is counted.
  const counted = [...text.matchAll(/<h3>[^<]*<\/h3>\s*<p class="note">([^<]*)<\/p>/g)].map(
    ([, about]) => about,
  );
  expect(counted).toHaveLength(text.split('<h3>').length - 1);
  expect(counted.filter((about) => !/^[A-Z].{20,}\.$/.test(about ?? ''))).toEqual([]);
  for (const file of ['page.css', 'page.js']) {
    expect((await fetch(`${metricsUrl}/page/${file}`)).status).toBe(200);
  }
  const status = await fetch(`${url}/?status`, { headers: { Accept: 'text/html' } });
  expect(await status.text()).not.toContain('Who still needs');
});

it('stand on the page of the proxy with REGSHIFT_PAGE=status, also without a port for metrics', async () => {
  const { url, metricsUrl } = await start({ REGSHIFT_METRICS_PORT: '', REGSHIFT_PAGE: 'status' });
  expect(metricsUrl).toBeUndefined();
  const status = await fetch(`${url}/?status`, { headers: { Accept: 'text/html' } });
  expect(await status.text()).toContain('Who still needs this proxy?');
});

it('have no page with REGSHIFT_PAGE=off', async () => {
  const { metricsUrl } = await start({ REGSHIFT_PAGE: 'off' });
  for (const path of ['/', '/page/page.css']) expect((await fetch(`${metricsUrl}${path}`)).status).toBe(404);
});

it('show the memory of each table', async () => {
  const { get, metrics } = await start();
  const bytesOf = async () => {
    const lines = [...(await metrics()).matchAll(/^regshift_memory_table_bytes\{table="(\S+)"\} (\d+)$/gm)];
    return new Map(lines.map(([, table, bytes]) => [table, Number(bytes)]));
  };
  const before = await bytesOf();
  expect([...before.keys()]).toEqual(tableNames);
  expect(before.get('content')).toBe(0);
  await get('/v2/sample/oci/manifests/latest');
  const after = await bytesOf();
  for (const table of ['content', 'access-grants', 'recent-tags']) {
    expect(after.get(table), table).toBeGreaterThan(100);
  }
  expect(await metrics()).toContain('regshift_memory_table_limit_bytes{table="responses"} 8388608');
});

it('tell of a Redis that is away', async () => {
  const { metrics } = await start({ REGSHIFT_REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
  expect(await metrics()).toContain('regshift_cache_up{cache="redis"} 0\n');
});

it('tell of each cache that answers', async () => {
  const { watch, text } = createPrometheusMetrics();
  watch(idle, testMemory(), { caches: () => ({ redis: 'here', store: 'away' }) });
  expect(await text()).toContain('regshift_cache_up{cache="redis"} 1\nregshift_cache_up{cache="store"} 0\n');
});

const idle = { requests: 0, streams: 0, acquire: () => undefined };
const dashboard = readFileSync(join(root, 'deploy/grafana/regshift.json'), 'utf8');
const rules = readFileSync(join(root, 'deploy/prometheus/regshift.rules.yaml'), 'utf8');

it.each([
  ['deploy/grafana/regshift.json', () => JSON.stringify(JSON.parse(dashboard))],
  ['deploy/prometheus/regshift.rules.yaml', () => JSON.stringify(parse(rules))],
])('%s names existing metrics', async (_file, read) => {
  const metrics = createPrometheusMetrics();
  metrics.watch(idle, testMemory(), { caches: () => ({}) });
  metrics.certificate(0);
  const known = new Set([...(await metrics.text()).matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(namesOf));
  const named = new Set(read().match(/\b(?:regshift|process|nodejs)_[a-z_0-9]+/g));
  expect(named.size).toBeGreaterThan(2);
  expect([...named].filter((name) => !known.has(name))).toEqual([]);
});

function namesOf([, name = '', type]: RegExpMatchArray): string[] {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}
