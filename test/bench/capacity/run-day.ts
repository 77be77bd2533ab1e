/**
 * Runs a compressed day through two real replicas with a real Redis, and compares it with the formulae of
 * docs/capacity.md: `npm run capacity:day`. `--seconds 150` is a shorter day with fewer pulls, and `--seed 2` another
 * one. It ends with status 1 for a figure that differs by more than a fifth.
 */
import { orEnd, readNumber, readOptions } from '../../support/options.ts';
import { compareDay, testDay, tolerance } from './compare.ts';
import { nodeCosts, readResults } from './costs.ts';
import { runDay } from './day.ts';

const { seconds, seed } = orEnd(() => {
  const values = readOptions({
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
  });
  // In a shorter day, an hour is not much longer than a TTL.
  return { seconds: readNumber('seconds', values.seconds, 60), seed: readNumber('seed', values.seed) };
});
const site = {
  ...testDay,
  pullsPerDay: (testDay.pullsPerDay * seconds) / testDay.secondsOfDay,
  secondsOfDay: seconds,
};
const costs = nodeCosts(readResults());
const day = await runDay(site, seed);
const MiB = 2 ** 20;
const speed = day.referenceMs / costs.referenceMs;
console.log(
  `${day.pulls} pulls in ${Math.round(day.seconds)} s; a request to the bare server took ${speed.toFixed(2)} times as much as in RESULTS.md; the latest pull began ${day.latestSeconds.toFixed(2)} s late`,
);
console.log(`The memory of a replica grew by ${Math.round(day.residentBytes / MiB)} MiB.`);
console.log('| figure | formulae | measured | ratio |\n|---|---|---|---|');
for (const { figure, unit, reckoned, measured, ratio } of compareDay(site, costs, day)) {
  const text = (value: number) => `${Number(value.toPrecision(4)).toLocaleString('en')} ${unit}`.trim();
  console.log(`| ${figure} | ${text(reckoned)} | ${text(measured)} | ${ratio.toFixed(2)} |`);
  if (Math.abs(ratio - 1) > tolerance) process.exitCode = 1;
}
for (const failure of day.failures) console.log(failure);
if (day.failures.length > 0) process.exitCode = 1;
