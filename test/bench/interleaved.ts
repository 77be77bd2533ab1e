import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { median } from './measure.ts';

/** Returns medians of several rounds. Each round measures each subject once, so that other load is the same for all. */
export async function interleaved<Name extends string>(
  rounds: number,
  each: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(each) as Name[];
  const found = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) found.get(name)?.push(await each[name]());
  }
  return Object.fromEntries(names.map((name) => [name, median(found.get(name) ?? [])])) as Record<
    Name,
    number
  >;
}

export interface Load {
  readonly port: number;
  readonly path: string;
  readonly method?: 'GET' | 'HEAD' | 'PUT';
  readonly headers?: readonly string[];
  readonly connections?: number;
  /** The text of the body of each request; none by default. */
  readonly body?: string;
  /** The status of a good response; 200 by default. */
  readonly status?: number;
}

/** Returns the responses per second (`load.ts`). @throws Error with the first response that has another status. */
export async function load({
  port,
  path,
  method = 'GET',
  headers = [],
  connections = 32,
  body = '',
  status = 200,
}: Load): Promise<number> {
  const options = { port, path, method, connections, body, status };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const lines = headers.flatMap((line) => ['--header', line]);
  const program = [join(import.meta.dirname, 'load.ts'), ...args, ...lines];
  const { stdout } = await promisify(execFile)(process.execPath, program);
  return Number(stdout);
}
