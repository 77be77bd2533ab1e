import { readFileSync } from 'node:fs';
import type { Facts } from '../../observability/log.ts';

/** Descriptors of the process itself: the program, its log, the store, Redis, probes. */
const ownFiles = 100;

/** A layer takes a connection to the client and one to the registry. */
const filesOfRequest = 2;

/**
 * Beyond the limit of open files, the system accepts a connection and closes it at once, and the process learns nothing of
 * it (libuv, uv__emfile_trick).
 * @param requests the number that may be in progress at once.
 * @param limits the file with the limits of this process (proc(5)).
 * @returns the facts of a warning; undefined if the limit is high enough, or the system does not tell it.
 */
export function tooFewFiles(requests: number, limits = '/proc/self/limits'): Facts | undefined {
  const limit = fileLimit(limits);
  const needed = requests * filesOfRequest + ownFiles;
  if (limit === undefined || limit >= needed) return undefined;
  const fitting = Math.max(1, Math.floor((limit - ownFiles) / filesOfRequest));
  return {
    limit,
    needed,
    consequence: 'beyond the limit, connections of clients and probes are closed without a line here',
    remedy: `raise the limit (ulimit -n, LimitNOFILE) to ${needed}, or set REGSHIFT_MAX_REQUESTS=${fitting}`,
  };
}

function fileLimit(path: string): number | undefined {
  try {
    const [, limit] = /^Max open files\s+(\d+)\s/m.exec(readFileSync(path, 'utf8')) ?? [];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}
