import { markersIn } from './markers.ts';
import type { World } from './world.ts';

/** What is in a log that must not be: a password, a token, or the value that carries both. */
export function secretsIn(log: string, { upstreams }: World): string[] {
  const marked = markersIn(log).filter(({ kind }) => kind === 'password' || kind === 'token');
  const values = upstreams.flatMap(({ users }) => users.map(({ basic }) => basic.slice('Basic '.length)));
  const carried = values.filter((value) => log.includes(value));
  return [
    ...marked.map(({ kind, index }) => `the log has ${kind} ${index}`),
    ...carried.map((value) => `the log has ${value}`),
  ];
}
