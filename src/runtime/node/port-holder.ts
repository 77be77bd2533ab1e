import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';

export interface PortHolder {
  /** The name of the program, like `node`. */
  readonly name: string;
  readonly pid: number;
}

/** The state LISTEN in /proc/net/tcp (Linux, include/net/tcp_states.h). */
const listening = '0A';

/**
 * Finds the process that listens on a TCP port, in /proc of Linux.
 * @returns undefined on other systems, and for a process of another user, whose files a user may not see.
 */
export async function findPortHolder(port: number): Promise<PortHolder | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(textOf));
  const inodes = new Set(
    tables.flatMap((table) => listenersIn(table, port)).map((inode) => `socket:[${inode}]`),
  );
  if (inodes.size === 0) return undefined;
  const pids = (await namesIn('/proc')).filter((name) => /^\d+$/.test(name));
  const holders = await Promise.all(pids.map(async (pid) => ((await holds(pid, inodes)) ? [pid] : [])));
  const [pid] = holders.flat();
  if (pid === undefined) return undefined;
  // /proc/<pid>/comm is the name of a thread, which Node calls MainThread.
  const [command = ''] = (await textOf(`/proc/${pid}/cmdline`)).split('\0');
  return { name: basename(command), pid: Number(pid) };
}

/** The inodes of the sockets that listen on a port (proc_net_tcp in the documentation of Linux). */
function listenersIn(table: string, port: number): string[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    return state === listening && Number.parseInt(local.split(':')[1] ?? '', 16) === port ? [inode] : [];
  });
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const files = await namesIn(`/proc/${pid}/fd`);
  const targets = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
  return targets.some((target) => inodes.has(target));
}

const textOf = (path: string) => readFile(path, 'utf8').catch(() => '');
const namesIn = (path: string) => readdir(path).catch(() => []);
