import { readNumber, readOptions } from '../../support/options.ts';
import { nodeCosts, workerCosts } from './costs.ts';
import { capacityOf } from './formulae.ts';
import type { Site } from './site.ts';
import { millionPulls, newIsolatesPerDay, tenThousandMachines } from './sites.ts';
import { nodeTable, ttlTable, workersTable } from './tables.ts';
import { workersMonth } from './workers.ts';

const machines = 10_000;

/** The inputs of a site as options, with the values of a site of docs/capacity.md. */
function numbersOf(site: Site) {
  return {
    machines,
    'pulls-per-day': site.pullsPerDay / machines,
    images: site.images,
    replicas: site.replicas,
    ttl: site.ttlSeconds,
    'download-share': site.downloadShare,
    layers: site.layersPerDownload,
    'layer-mib': site.layerMiB,
    deployments: site.deploymentsPerDay,
    'deployment-machines': site.machinesOfDeployment,
    'deployment-minutes': site.deploymentSeconds / 60,
    'new-isolates': newIsolatesPerDay,
  };
}
type NumberName = keyof ReturnType<typeof numbersOf>;

const names = Object.keys(numbersOf(tenThousandMachines)) as NumberName[];

/** Inputs that the formulae divide by. */
const atLeastOne: ReadonlySet<NumberName> = new Set([
  'machines',
  'pulls-per-day',
  'images',
  'replicas',
  'deployment-minutes',
]);

/**
 * Writes the needs of a site as the tables of docs/capacity.md, or as JSON. The defaults are those of the page: its 10,000 machines,
 * and with `--workers` its million pulls a day without deployments.
 * @param args the options of the command line.
 * @param results the text of RESULTS.md.
 * @throws WrongOptionError.
 */
export function capacityReport(args: readonly string[], results: string): string {
  const values = readOptions(
    {
      ...(Object.fromEntries(names.map((name) => [name, { type: 'string' }])) as Record<
        NumberName,
        { type: 'string' }
      >),
      'schema-1': { type: 'boolean' },
      silent: { type: 'boolean' },
      workers: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
    args,
  );
  const defaults = numbersOf(values.workers ? millionPulls : tenThousandMachines);
  if (values.help) return helpText(defaults);
  const numberOf = (name: NumberName) =>
    readNumber(name, values[name] ?? String(defaults[name]), atLeastOne.has(name) ? 1 : 0);
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
  if (values.workers) {
    const costs = workerCosts(results);
    const isolates = numberOf('new-isolates');
    return values.json
      ? JSON.stringify(workersMonth(site, costs, isolates), null, 2)
      : workersTable([{ name: 'on Workers', site }], costs, isolates);
  }
  const costs = nodeCosts(results);
  return values.json
    ? JSON.stringify(capacityOf(site, costs), null, 2)
    : `${nodeTable(site, costs)}\n\n${ttlTable(site, costs, [0, 10, 30, 300])}`;
}

function helpText(defaults: Readonly<Record<NumberName, number>>): string {
  const options = names.map((name) => `  --${name} (${defaults[name]})`).join('\n');
  return `Inputs, with their defaults. --pulls-per-day is that of one machine. With --workers, other defaults hold.
${options}
  --schema-1 (Docker up to 1.9), --silent (no line of log), --workers, --json`;
}
