import { setTimeout as sleep } from 'node:timers/promises';
import { factsOfProcess, type ProcessFacts } from '../support/faults/process-facts.ts';
import type { SoakReplica } from './fleet.ts';

/** The resources of a process: its memory in MiB, its descriptors, and the handles of Node's event loop. */
export interface Resources extends ProcessFacts {
  readonly handles: number;
}

/** Milliseconds between two samples. */
const pause = 1_000;
export const parts = 10;

/**
 * Samples a process under load.
 * @returns the lowest figures of each tenth of the time, in order: a leak raises them, and a burst does not.
 */
export async function sampleResources(replica: SoakReplica, seconds: number): Promise<Resources[]> {
  const begun = performance.now();
  const samples: Resources[][] = Array.from({ length: parts }, () => []);
  for (;;) {
    const part = Math.floor(((performance.now() - begun) / 1_000 / seconds) * parts);
    const samplesOfPart = samples[part];
    if (!samplesOfPart) break;
    samplesOfPart.push(await resourcesOf(replica));
    await sleep(pause);
  }
  return samples.filter(({ length }) => length > 0).map(lowest);
}

export async function resourcesOf({ pid, inspector }: SoakReplica): Promise<Resources> {
  const { resources } = await inspector.now();
  const handles = Object.values(resources).reduce((sum, count) => sum + count, 0);
  return { ...factsOfProcess(pid), handles };
}

function lowest(samples: readonly Resources[]): Resources {
  const of = (name: keyof Resources) => Math.min(...samples.map((each) => each[name]));
  return { megabytes: of('megabytes'), descriptors: of('descriptors'), handles: of('handles') };
}

/** The growth in the last half of the tenths that counts as flat. */
export const mostGrowth = { megabytes: 12, descriptors: 12, handles: 24 } as const satisfies Record<
  keyof Resources,
  number
>;

/** The growth of a figure over the last half of the tenths: the slope of the least squares, times its length. */
export function growthOf(tenths: readonly Resources[], name: keyof Resources): number {
  const values = tenths.slice(tenths.length >> 1).map((each) => each[name]);
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const across = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0);
  const along = values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
  return along === 0 ? 0 : (across / along) * (values.length - 1);
}

/** @returns the figures that grow, as sentences; none for a flat process. */
export function growthComplaints(name: string, tenths: readonly Resources[]): string[] {
  return (Object.keys(mostGrowth) as (keyof Resources)[]).flatMap((each) => {
    const growth = growthOf(tenths, each);
    return growth <= mostGrowth[each]
      ? []
      : [`${each} of ${name} grow by ${growth.toFixed(1)} in the last half, more than ${mostGrowth[each]}`];
  });
}
