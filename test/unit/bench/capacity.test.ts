import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pullsOfDay } from '../../bench/capacity/arrivals.ts';
import { testDay } from '../../bench/capacity/compare.ts';
import {
  nodeCostNames,
  nodeCostRows,
  nodeCosts,
  readResults,
  workerCosts,
} from '../../bench/capacity/costs.ts';
import { capacityOf, type ManifestRequests } from '../../bench/capacity/formulae.ts';
import { capacityPage } from '../../bench/capacity/page.ts';
import { capacityReport } from '../../bench/capacity/report.ts';
import type { Site } from '../../bench/capacity/site.ts';
import { millionPulls, tenThousandMachines } from '../../bench/capacity/sites.ts';
import { workersMonth, workersPrice } from '../../bench/capacity/workers.ts';

const results = readResults();
const costs = nodeCosts(results);

test('docs/capacity.md is what `npm run capacity:docs` writes', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/capacity.md'), 'utf8');
  expect(page).toBe(capacityPage(results));
});

describe('`npm run capacity` prints the figures of the page', () => {
  const page = capacityPage(results);
  const cellsOf = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());

  test('on Node: whole tables', () => {
    const [site = '', ttls = ''] = capacityReport([], results).split('\n\n');
    expect(site.split('\n').length).toBeGreaterThan(10);
    expect(page).toContain(`${site}\n`);
    // The page has one more row.
    expect(page).toContain(`${ttls}\n`);
  });

  test.each([
    [1, ['--workers']],
    [1, ['--machines', '1000000', '--pulls-per-day', '1', '--workers']],
    [2, ['--workers', '--download-share', '1', '--layers', '10']],
  ])('on Workers: column %i by %j', (column, args) => {
    const lines = page.split('\n');
    const from = lines.findIndex((line) => line.startsWith('| a month |'));
    const ofPage = lines.slice(from + 2, from + 9).map((line) => [cellsOf(line)[0], cellsOf(line)[column]]);
    expect(capacityReport(args, results).split('\n').slice(2).map(cellsOf)).toEqual(ofPage);
  });
});

describe('the costs of RESULTS.md', () => {
  test('are those that the bench prints', () => {
    const rows = nodeCostRows(costs);
    expect(rows).toHaveLength(Object.keys(nodeCostNames).length);
    const page = ['', '| cost on Node | measured | unit |', '|---|---|---|', ...rows, '', ''].join('\n');
    expect(nodeCosts(page)).toEqual(costs);
  });

  test('a row that is not there is named', () => {
    const without = results.replace('| config passed through |', '| config |');
    expect(() => nodeCosts(without)).toThrow('RESULTS.md has no figure for "config passed through"');
  });
});

/** Counts what replicas do that follow the rules alone: a clock, a TTL, and a Redis that has what one of them made. */
function followRules(site: Site, seed: number): ManifestRequests {
  const counts = { remembered: 0, revalidated: 0, cold: 0, shared: 0 };
  const asked = Array.from({ length: site.replicas }, () => new Map<number, number>());
  const made = new Set<number>();
  for (const { at, image, replica } of pullsOfDay(site, seed)) {
    const last = asked[replica]?.get(image);
    if (last !== undefined && at - last < site.ttlSeconds) {
      counts.remembered += 1;
      continue;
    }
    asked[replica]?.set(image, at);
    if (last !== undefined) counts.revalidated += 1;
    else if (made.has(image)) counts.shared += 1;
    else counts.cold += 1;
    made.add(image);
  }
  return counts;
}

describe('the formulae', () => {
  const sites: readonly (readonly [string, Site])[] = [
    ['the compressed day', testDay],
    ['the compressed day at TTL 0', { ...testDay, ttlSeconds: 0 }],
    ['three replicas and a long TTL', { ...testDay, replicas: 3, ttlSeconds: 20 }],
    ['10,000 machines', tenThousandMachines],
  ];
  test.each(sites)('count the requests of %s like drawn arrivals, to 4 %%', (_, site) => {
    const { manifests } = capacityOf(site, costs);
    const drawn = followRules(site, 7);
    for (const kind of ['remembered', 'revalidated', 'cold', 'shared'] as const) {
      const all = capacityOf(site, costs).pulls;
      expect(Math.abs(manifests[kind] - drawn[kind]), kind).toBeLessThan(0.04 * drawn[kind] + 0.002 * all);
    }
  });

  test('each pull is one request for a manifest', () => {
    const { manifests, pulls } = capacityOf(tenThousandMachines, costs);
    expect(Object.values(manifests).reduce((sum, each) => sum + each, 0)).toBeCloseTo(pulls, 6);
  });

  test('a longer TTL asks the registry less often, and never costs more CPU', () => {
    const at = (ttlSeconds: number) => capacityOf({ ...tenThousandMachines, ttlSeconds }, costs);
    const ttls = [0, 1, 30, 300, 3600].map(at);
    for (const [n, next] of ttls.slice(1).entries()) {
      expect(next.registry.manifestHeads).toBeLessThan(ttls[n]?.registry.manifestHeads ?? 0);
      expect(next.cpuSeconds).toBeLessThan(ttls[n]?.cpuSeconds ?? 0);
    }
  });

  test('Docker up to 1.9 downloads no config', () => {
    const requests = (form: Site['form']) => capacityOf({ ...millionPulls, form }, costs).registry.blobGets;
    expect(requests('schema2') - requests('schema1')).toBeCloseTo(50_000, 6);
  });
});

describe('the price of Workers', () => {
  // The first and the fourth example of Cloudflare's page of prices.
  test.each([
    [15e6, 7, 8],
    [100e6, 7, 45.4],
  ])('of %d requests with %d ms each is %d USD', (requests, msOfRequest, usd) => {
    const use = { requests, cpuMs: requests * msOfRequest, kvReads: 0, kvWrites: 0 };
    expect(workersPrice(use).all).toBeCloseTo(usd, 6);
  });

  test('of a million pulls a day counts the requests of machines, and none to the registry', () => {
    const month = workersMonth(millionPulls, workerCosts(results), 0);
    expect(month.requests).toBeCloseTo(30e6 * (2 + 0.05 * 6), 0);
    expect(month.usd.requests).toBeCloseTo((month.requests / 1e6 - 10) * 0.3, 6);
    expect(month.usd.kvReads).toBeCloseTo((60 - 10) * 0.5, 6);
  });
});
