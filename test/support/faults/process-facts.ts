import { readdirSync, readFileSync } from 'node:fs';

/** The resources of a process, as the kernel counts them (Linux). */
export interface ProcessFacts {
  /** The number of open descriptors: sockets, files, timers and others. */
  readonly descriptors: number;
  /** The resident memory. */
  readonly megabytes: number;
}

export function factsOfProcess(pid: number): ProcessFacts {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, megabytes: Math.round(kilobytes / 1024) };
}
