import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectAddress } from '../support/release/address.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
const file = 'deploy/prometheus/regshift.rules.yaml';
const { groups } = parse(read(file)) as { groups: { rules: Alert[] }[] };
const alerts = groups.flatMap(({ rules }) => rules);

/** The section of a document below a heading, by the anchor that GitHub makes of the heading. */
function sectionOf(document: string, anchor: string): string | undefined {
  const sections = read(document).split(/^(?=## )/m);
  return sections.find((section) => anchorOf(section.slice(3, section.indexOf('\n'))) === anchor);
}

function anchorOf(heading: string): string {
  const words = heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '');
  return words.trim().replaceAll(' ', '-');
}

describe(file, () => {
  it.each(alerts)(
    '$alert has words for people, and a runbook that names it',
    ({ alert, labels, annotations }) => {
      const { summary, description, runbook_url: runbook = '' } = annotations;
      expect(['warning', 'critical']).toContain(labels.severity);
      for (const text of [summary, description]) expect(text?.length).toBeGreaterThan(20);
      expect(description).not.toBe(summary);
      const [page = '', anchor = ''] = runbook.split('#');
      expect(page).toBe(`${projectAddress()}/blob/main/docs/operations.md`);
      expect(sectionOf('docs/operations.md', anchor), runbook).toContain(`\`${alert}\``);
    },
  );

  it.each([
    ['a replica that is gone', 'up =='],
    ['conversions', 'regshift_conversions_total{result="failed"}'],
    ['stale answers', 'regshift_stale_responses_total'],
    ['a full store', 'regshift_store_writes_total{result="error"}'],
    ['refused notifications', 'resource="events"'],
    ['images that are not made ahead', 'regshift_warmed_total{result=~"dropped|refused"}'],
  ])('has an alert about %s', (_, part) => {
    expect(alerts.filter(({ expr }) => expr.includes(part))).toHaveLength(1);
  });
});

describe('the runbook', () => {
  it('names no alert that there is not', () => {
    const named = read('docs/operations.md').match(/`Regshift[A-Z]\w+`/g) ?? [];
    const known = alerts.map(({ alert }) => `\`${alert}\``);
    expect([...new Set(named)].toSorted()).toEqual(known.toSorted());
  });

  it('links to sections of the same page that there are', () => {
    const anchors = [...read('docs/operations.md').matchAll(/\]\(#([\w-]+)\)/g)].map(
      ([, anchor = '']) => anchor,
    );
    expect(anchors.length).toBeGreaterThan(3);
    expect(anchors.filter((anchor) => sectionOf('docs/operations.md', anchor) === undefined)).toEqual([]);
  });
});

describe('deploy/grafana/regshift.json', () => {
  interface Panel {
    readonly id: number;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets: readonly { readonly expr: string }[];
  }
  const { panels } = JSON.parse(read('deploy/grafana/regshift.json')) as { panels: Panel[] };
  const cellsOf = ({ gridPos: { x, y, w, h } }: Panel) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`);

  it('has panels with ids and places of their own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(cellsOf);
    expect(new Set(cells).size).toBe(cells.length);
  });

  it.each([
    'regshift_client_manifests_total',
    'regshift_events_total',
    'regshift_warmed_total',
    'regshift_warm_queue',
    'regshift_stale_responses_total',
    'regshift_memory_table_bytes',
    'regshift_store_hung_operations',
    ...new Set(alerts.flatMap(({ expr }) => expr.match(/\b(?:regshift|process)_\w+/g) ?? [])),
  ])('shows %s', (metric) => {
    const named = panels.filter(({ targets }) => targets.some(({ expr }) => expr.includes(`${metric}{`)));
    expect(named.length).toBeGreaterThan(0);
  });
});
