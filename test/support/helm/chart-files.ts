import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../../src/version.ts';
import { readChartValues, valuesTable } from './chart-values.ts';
import { valuesSchema } from './values-schema.ts';

const root = join(import.meta.dirname, '../../..');

/** The folder of the chart, from the root of the repository. */
export const chartFolder = 'deploy/helm/regshift';

/** The heading in the README of the chart above the table that comes from values.yaml. */
const heading = '## Values\n\n';

/**
 * Makes the files of the chart that come from other files: the version, the schema and table of the values, and copies
 * of the dashboard and the alerts, because Helm reads no files outside of a chart.
 * @returns texts by paths in the chart.
 */
export function chartFiles(): Readonly<Record<string, string>> {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const values = readChartValues(read(`${chartFolder}/values.yaml`));
  const [introduction = ''] = read(`${chartFolder}/README.md`).split(heading);
  return {
    'Chart.yaml': read(`${chartFolder}/Chart.yaml`).replace(/^(version|appVersion): .*$/gm, `$1: ${version}`),
    'values.schema.json': `${JSON.stringify(valuesSchema(values), null, 2)}\n`,
    'README.md': `${introduction}${heading}${valuesTable(values)}\n`,
    'files/regshift.json': read('deploy/grafana/regshift.json'),
    'files/regshift.rules.yaml': read('deploy/prometheus/regshift.rules.yaml'),
  };
}

if (import.meta.filename === process.argv[1]) {
  for (const [path, text] of Object.entries(chartFiles())) writeFileSync(join(root, chartFolder, path), text);
}
