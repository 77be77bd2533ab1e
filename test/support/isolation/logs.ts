import { markersIn } from './markers.ts';
import type { World } from './world.ts';

/** Finds secrets in a log: passwords, tokens, and values of Authorization. */
export function secretsIn(log: string, { upstreams }: World): string[] {
  const marked = markersIn(log).filter(({ kind }) => kind === 'password' || kind === 'token');
  const values = upstreams.flatMap(({ users }) => users.map(({ basic }) => basic.slice('Basic '.length)));
  const carried = values.filter((value) => log.includes(value));
  return [
    ...marked.map(({ kind, index }) => `the log has ${kind} ${index}`),
    ...carried.map((value) => `the log has ${value}`),
  ];
}
