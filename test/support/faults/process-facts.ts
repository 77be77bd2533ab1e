import { readdirSync, readFileSync } from 'node:fs';

/** What a process holds, as the kernel counts it (Linux). */
export interface ProcessFacts {
  /** Sockets, files, timers: everything that is open. */
  readonly descriptors: number;
  /** Of its memory what is in the machine's. */
  readonly megabytes: number;
}

export function factsOfProcess(pid: number): ProcessFacts {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, megabytes: Math.round(kilobytes / 1024) };
}
