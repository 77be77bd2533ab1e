/**
 * Prints what a site needs: `npm run capacity -- --machines 10000 --pulls-per-day 24`. Each option changes one input of
 * docs/capacity.md. `--workers` reckons a month on Workers, and `--json` prints for programs.
 */
import { orEnd } from '../../support/options.ts';
import { readResults } from './costs.ts';
import { capacityReport } from './report.ts';

const results = readResults();
console.log(orEnd(() => capacityReport(process.argv.slice(2), results)));
