import { orEnd, readNumber, readOptions } from '../support/options.ts';
import { complaintsOf, printReport } from './report.ts';
import { runSoak } from './soak.ts';

/**
 * Runs the soak, prints its figures, and ends with 1 for a wrong response, a refusal without a reason, or a growth.
 *
 *     npm run soak -- --minutes 30 [--seed 1]
 */
const { minutes, seed } = orEnd(() => {
  const { minutes, seed } = readOptions({
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  });
  return { minutes: readNumber('minutes', minutes, 0.1), seed: readNumber('seed', seed) };
});
console.log(`soaking for ${minutes} minutes with seed ${seed}`);
const report = await runSoak({ seconds: minutes * 60, seed });
printReport(report);
const complaints = complaintsOf(report);
for (const complaint of complaints) console.error(`\nWRONG: ${complaint}`);
process.exit(complaints.length > 0 ? 1 : 0);
