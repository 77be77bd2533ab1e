import { growthComplaints, growthOf, type Resources } from './resources.ts';
import type { ReplicaReport, SoakReport } from './soak.ts';

const MiB = 2 ** 20;
/** Bytes of reachable heap that may be added after the first tenth: the tables may fill until then, or later. */
const mostHeap = 10 * MiB;
/** Connections to upstreams, to the Redis and to the inspector, and their timers. */
const mostKept = 12;
/** Seconds below which a soak has too few samples to judge the growth under load. */
const leastSeconds = 600;

export function printReport({ seconds, requests, outcomes, wrong, silent, replicas }: SoakReport): void {
  console.log(`${requests} requests in ${seconds} s (${Math.round(requests / seconds)} a second)`);
  const byCount = Object.entries(outcomes).sort(([, left], [, right]) => right - left);
  for (const [outcome, count] of byCount) console.log(`  ${outcome}: ${count}`);
  console.log(`wrong responses: ${wrong.length}; refusals without a reason: ${silent.length}`);
  for (const { name, idle, tenths, settled, heap } of replicas) {
    console.log(`replica ${name}:`);
    const rows = {
      idle,
      ...Object.fromEntries(tenths.map((each, at) => [`tenth ${at + 1}`, each])),
      settled,
    };
    console.table(rows);
    const growth = (['megabytes', 'descriptors', 'handles'] as (keyof Resources)[]).map(
      (each) => `${each} ${growthOf(tenths, each).toFixed(1)}`,
    );
    console.log(`growth in the last half: ${growth.join(', ')}`);
    console.log(`reachable heap: ${heap.map((bytes) => (bytes / MiB).toFixed(1)).join(' MiB, then ')} MiB`);
  }
}

/** @returns all that must not be in a soak, as sentences. */
export function complaintsOf({ seconds, wrong, silent, replicas }: SoakReport): string[] {
  return [
    ...wrong,
    ...silent.map((each) => `no reason: ${each}`),
    ...replicas.flatMap(({ name, tenths }) => (seconds < leastSeconds ? [] : growthComplaints(name, tenths))),
    ...replicas.flatMap(leftovers),
  ];
}

function leftovers({ name, idle, settled, heap: [warm, end] }: ReplicaReport): string[] {
  const kept = (['descriptors', 'handles'] as const).flatMap((each) => {
    const more = settled[each] - idle[each];
    return more > mostKept ? [`${more} ${each} of ${name} are left over`] : [];
  });
  const grown = end - warm;
  return grown > mostHeap ? [...kept, `the heap of ${name} grew by ${(grown / MiB).toFixed(1)} MiB`] : kept;
}
