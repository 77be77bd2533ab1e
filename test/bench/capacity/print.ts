/**
 * Prints what a site needs: `npm run capacity -- --machines 10000 --pulls-per-day 24`. Each option changes one input of
 * docs/capacity.md. `--workers` reckons a month on Workers, and `--json` prints for programs.
 */
import { parseArgs } from 'node:util';
import { nodeCosts, readResults, workerCosts } from './costs.ts';
import { capacityOf } from './formulae.ts';
import type { Site } from './site.ts';
import { newIsolatesPerDay, tenThousandMachines } from './sites.ts';
import { nodeTable, ttlTable, workersTable } from './tables.ts';
import { workersMonth } from './workers.ts';

const numbers = {
  machines: 10_000,
  'pulls-per-day': tenThousandMachines.pullsPerDay / 10_000,
  images: tenThousandMachines.images,
  replicas: tenThousandMachines.replicas,
  ttl: tenThousandMachines.ttlSeconds,
  'download-share': tenThousandMachines.downloadShare,
  layers: tenThousandMachines.layersPerDownload,
  'layer-mib': tenThousandMachines.layerMiB,
  deployments: tenThousandMachines.deploymentsPerDay,
  'deployment-machines': tenThousandMachines.machinesOfDeployment,
  'deployment-minutes': tenThousandMachines.deploymentSeconds / 60,
  'new-isolates': newIsolatesPerDay,
};
type NumberName = keyof typeof numbers;

/** Inputs that the formulae divide by. */
const atLeastOne: ReadonlySet<NumberName> = new Set([
  'machines',
  'pulls-per-day',
  'images',
  'replicas',
  'deployment-minutes',
]);

const names = Object.keys(numbers) as NumberName[];
const numberOptions = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
const { values } = parseArgs({
  options: {
    ...numberOptions,
    'schema-1': { type: 'boolean' },
    silent: { type: 'boolean' },
    workers: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  const options = names.map((name) => `  --${name} (${numbers[name]})`).join('\n');
  console.log(`Inputs, with their defaults. --pulls-per-day is that of one machine.\n${options}`);
  console.log('  --schema-1 (Docker up to 1.9), --silent (no line of log), --workers, --json');
  process.exit(0);
}

function numberOf(name: NumberName): number {
  const text = (values as Readonly<Record<string, unknown>>)[name];
  const value = text === undefined ? numbers[name] : Number(text);
  const least = atLeastOne.has(name) ? 1 : 0;
  if (Number.isFinite(value) && value >= least) return value;
  console.error(`--${name} must be a number of ${least} or more, and is ${JSON.stringify(text)}.`);
  process.exit(2);
}

const site: Site = {
  pullsPerDay: numberOf('machines') * numberOf('pulls-per-day'),
  images: Math.round(numberOf('images')),
  replicas: Math.round(numberOf('replicas')),
  ttlSeconds: numberOf('ttl'),
  downloadShare: numberOf('download-share'),
  layersPerDownload: numberOf('layers'),
  layerMiB: numberOf('layer-mib'),
  form: values['schema-1'] ? 'schema1' : 'schema2',
  log: !values.silent,
  deploymentsPerDay: numberOf('deployments'),
  machinesOfDeployment: numberOf('deployment-machines'),
  deploymentSeconds: 60 * numberOf('deployment-minutes'),
  secondsOfDay: 86_400,
};
const results = readResults();
if (values.workers) {
  const costs = workerCosts(results);
  const isolates = numberOf('new-isolates');
  if (values.json) console.log(JSON.stringify(workersMonth(site, costs, isolates), null, 2));
  else console.log(workersTable([{ name: 'on Workers', site }], costs, isolates));
} else {
  const costs = nodeCosts(results);
  if (values.json) console.log(JSON.stringify(capacityOf(site, costs), null, 2));
  else console.log(`${nodeTable(site, costs)}\n\n${ttlTable(site, costs, [0, 10, 30, 300])}`);
}
