import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { requirePeers, runProgram } from '../support/programs.ts';

const deploy = join(import.meta.dirname, '../../deploy');
const file = join(deploy, 'prometheus/regshift.rules.yaml');
const dashboard = join(deploy, 'grafana/regshift.json');

/** A series with a value for each minute, in the words of promtool: `0+60x30` adds 60 thirty times. */
interface Series {
  readonly series: string;
  readonly values: string;
}

/** An alert, series for which it fires within an hour or a day, and series for which it does not. */
interface AlertCase {
  readonly alert: string;
  readonly fires: readonly Series[];
  readonly rests: readonly Series[];
  readonly minutes?: number;
}

const of = (name: string, labels: string, values: string): Series => ({
  series: `regshift_${name}{job="proxy",instance="a:9090"${labels === '' ? '' : `,${labels}`}}`,
  values,
});
const steady = '0+60x60';
const none = '0x60';
const up = (values: string, job = 'proxy') => ({ series: `up{job="${job}",instance="a:9090"}`, values });

const files = (name: string, values: string) => ({
  series: `process_${name}_fds{job="proxy",instance="a:9090"}`,
  values,
});

const cases: readonly AlertCase[] = [
  {
    alert: 'RegshiftDown',
    fires: [up('1x10 0x50'), of('build_info', 'version="1",node="24"', '1x10 _x50')],
    // The target of another program.
    rests: [up('1x10 0x50', 'other'), of('build_info', 'version="1",node="24"', '1x60')],
  },
  {
    alert: 'RegshiftFilesRunOut',
    fires: [
      files('open', '95x60'),
      files('max', '100x60'),
      of('build_info', 'version="1",node="24"', '1x60'),
    ],
    // The process of another program.
    rests: [files('open', '95x60'), files('max', '100x60')],
  },
  {
    alert: 'RegshiftFails',
    fires: [of('requests_total', 'code="502"', '0+6x60'), of('requests_total', 'code="200"', steady)],
    rests: [of('requests_total', 'code="502"', '0+2x60'), of('requests_total', 'code="200"', steady)],
  },
  {
    alert: 'RegshiftConversionsFail',
    fires: [
      of('conversions_total', 'from="oci",to="schema2",result="failed"', '0+8x60'),
      of('conversions_total', 'from="oci",to="schema2",result="remembered"', steady),
    ],
    rests: [
      of('conversions_total', 'from="oci",to="schema2",result="failed"', '0+1x60'),
      of('conversions_total', 'from="oci",to="schema2",result="remembered"', steady),
    ],
  },
  {
    alert: 'RegshiftUpstreamAway',
    fires: [
      of('upstream_requests_total', 'route="all",code="none"', steady),
      of('upstream_requests_total', 'route="all",code="2xx"', '0+6x60'),
    ],
    rests: [
      of('upstream_requests_total', 'route="all",code="4xx"', steady),
      of('upstream_requests_total', 'route="all",code="2xx"', '0+6x60'),
    ],
  },
  {
    alert: 'RegshiftAccountRefused',
    fires: [of('upstream_account_refusals_total', 'route="all"', '0+1x60')],
    rests: [of('upstream_account_refusals_total', 'route="all"', none)],
  },
  {
    alert: 'RegshiftServesStale',
    fires: [of('stale_responses_total', 'route="all"', '0+1x60')],
    rests: [of('stale_responses_total', 'route="all"', none)],
  },
  {
    alert: 'RegshiftPullsRunOut',
    fires: [of('upstream_pulls_left', 'route="all"', '3x60')],
    rests: [of('upstream_pulls_left', 'route="all"', '90x60')],
  },
  {
    alert: 'RegshiftRedisAway',
    fires: [of('cache_up', 'cache="redis"', '1x10 0x50')],
    rests: [of('cache_up', 'cache="redis"', '1x10 0x5 1x45'), of('cache_up', 'cache="store"', '0x60')],
  },
  {
    alert: 'RegshiftStoreFails',
    fires: [of('store_reads_total', 'result="error"', '0+1x60')],
    rests: [of('store_reads_total', 'result="miss"', steady)],
  },
  {
    alert: 'RegshiftStoreFull',
    fires: [of('store_writes_total', 'result="error"', '0+1x60')],
    rests: [
      of('store_writes_total', 'result="error"', none),
      of('store_writes_total', 'result="stored"', steady),
    ],
  },
  {
    alert: 'RegshiftStoreChurns',
    minutes: 1440,
    fires: [of('store_evicted_bytes_total', '', '0+100x1440'), of('store_bytes', '', '90000x1440')],
    rests: [of('store_evicted_bytes_total', '', '0+10x1440'), of('store_bytes', '', '90000x1440')],
  },
  {
    alert: 'RegshiftEventsRefused',
    fires: [of('requests_total', 'resource="events",code="401"', '0+1x60')],
    rests: [of('requests_total', 'resource="events",code="202"', steady)],
  },
  {
    alert: 'RegshiftEventsDropped',
    fires: [of('warmed_total', 'result="dropped"', '0x30 1x30')],
    rests: [of('warmed_total', 'result="dropped"', none), of('warmed_total', 'result="made"', steady)],
  },
  {
    alert: 'RegshiftCertificateExpires',
    fires: [of('certificate_expiry_timestamp_seconds', '', `${13 * 86_400}x60`)],
    rests: [of('certificate_expiry_timestamp_seconds', '', `${15 * 86_400}x60`)],
  },
  {
    alert: 'RegshiftCertificateExpired',
    // The clock of promtool begins at 0.
    fires: [of('certificate_expiry_timestamp_seconds', '', '1800x60')],
    rests: [of('certificate_expiry_timestamp_seconds', '', `${15 * 86_400}x60`)],
  },
];

/** An expectation of promtool: how many alerts of this name fire after so many minutes. */
function firing(alert: string, count: number, minutes: number): object {
  return {
    expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
    eval_time: `${minutes}m`,
    exp_samples: [{ labels: '{}', value: count }],
  };
}

describe.skipIf(requirePeers('promtool'))('the alerts for Prometheus', () => {
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-alerts-'));
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  async function check(series: readonly Series[], expected: readonly object[]): Promise<void> {
    const path = join(home, 'tests.yaml');
    const tests = [{ interval: '1m', input_series: series, promql_expr_test: expected }];
    await writeFile(path, stringify({ rule_files: [file], evaluation_interval: '1m', tests }));
    expect(await runProgram('promtool', ['test', 'rules', path], home)).toContain('SUCCESS');
  }

  it('are rules that promtool reads, each with a case here', async () => {
    const checked = await runProgram('promtool', ['check', 'rules', file], home);
    expect(checked).toContain(`${cases.length} rules found`);
    const { groups } = parse(await readFile(file, 'utf8')) as { groups: { rules: { alert: string }[] }[] };
    const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    expect(alerts.toSorted()).toEqual(cases.map(({ alert }) => alert).toSorted());
  });

  it('and the queries of the dashboard are PromQL', async () => {
    const { panels } = JSON.parse(await readFile(dashboard, 'utf8')) as {
      panels: { targets: { expr: string }[] }[];
    };
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const rules = expressions.map((expr, at) => ({
      record: `query:${at}`,
      // Grafana replaces its variables before it asks.
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', '.*'),
    }));
    const path = join(home, 'dashboard.yaml');
    await writeFile(path, stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect(await runProgram('promtool', ['check', 'rules', path], home)).toContain(
      `${rules.length} rules found`,
    );
  });

  it.each(cases)('$alert fires', async ({ alert, fires, minutes = 59 }) => {
    await check(fires, [firing(alert, 1, minutes)]);
  });

  it.each(cases)('$alert rests, and so do all others', async ({ rests, minutes = 59 }) => {
    await check(
      rests,
      cases.map(({ alert }) => firing(alert, 0, minutes)),
    );
  });
});
