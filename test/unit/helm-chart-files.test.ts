import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settingNames } from '../../src/config/settings.ts';
import { version } from '../../src/version.ts';
import { chartFiles, chartFolder } from '../support/helm/chart-files.ts';
import { readChartValues, valuesTable } from '../support/helm/chart-values.ts';
import { valuesSchema } from '../support/helm/values-schema.ts';

const folder = join(import.meta.dirname, '../..', chartFolder);
const read = (path: string) => readFileSync(join(folder, path), 'utf8');
const templates = readdirSync(join(folder, 'templates'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(ya?ml|tpl|txt)$/.test(file))
  .map((file) => read(`templates/${file}`));

test.each(Object.entries(chartFiles()))('%s is as npm run helm:files writes it', (path, text) => {
  const parsed = (each: string) => (path.endsWith('.schema.json') ? JSON.parse(each) : each);
  expect(parsed(read(path))).toEqual(parsed(text));
});

test('the chart has the version of the program', () => {
  expect(read('Chart.yaml')).toContain(`\nversion: ${version}\nappVersion: ${version}\n`);
});

test('the templates set settings that there are', () => {
  const named = templates.flatMap((text) => text.match(/\b(REGSHIFT_[A-Z0-9_]+|LOG_[A-Z]+)\b/g) ?? []);
  expect(named.length).toBeGreaterThan(8);
  // A comment of the pod names REGSHIFT_PORT, the variable that a Service would add.
  const settings = named.filter((each) => each !== 'REGSHIFT_PORT').map((each) => each.replace(/_FILE$/, ''));
  expect(settingNames).toEqual(expect.arrayContaining(settings));
});

test('each value has a comment and a place in the schema, and the schema has no other values', () => {
  const values = readChartValues(read('values.yaml'));
  const pathsOf = (schema: ReturnType<typeof valuesSchema>, above = ''): string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
      const path = `${above}${key}`;
      return inner.properties && path !== 'config' ? pathsOf(inner, `${path}.`) : [path];
    });
  const paths = pathsOf(valuesSchema(values)).filter((path) => path !== 'global');
  expect(paths.toSorted()).toEqual(values.map(({ path }) => path).toSorted());
});

test('comments of values become rows of a table', () => {
  const values = readChartValues(
    'a:\n  # -- One | two.\n  b: 1\n  # -- More.\n  c:\n    d: [x]\n# -- Last.\ne: ""\n',
  );
  expect(valuesTable(values).split('\n').slice(2)).toEqual([
    '| `a.b` | int | `1` | One \\| two. |',
    '| `a.c` | object | `{"d":["x"]}` | More. |',
    '| `e` | string | `""` | Last. |',
  ]);
  expect(() => readChartValues('a: 1\n')).toThrow('a has no comment that begins with # --');
});
