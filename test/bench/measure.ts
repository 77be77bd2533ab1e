import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Returns the CPU time of all threads of a process since its start, in milliseconds. */
export function cpuTime(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  const times = readdirSync(tasks).map((task) => readFileSync(join(tasks, task, 'schedstat'), 'utf8'));
  return times.reduce((sum, line) => sum + Number(line.split(' ')[0]), 0) / 1e6;
}

export function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? Number.NaN;
}
