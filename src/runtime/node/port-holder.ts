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
  const inodes = new Set((await listenersAt(port)).map((inode) => `socket:[${inode}]`));
  if (inodes.size === 0) return undefined;
  const pids = (await namesIn('/proc')).filter((name) => /^\d+$/.test(name));
  const holders = await Promise.all(pids.map(async (pid) => ((await holds(pid, inodes)) ? [pid] : [])));
  const [pid] = holders.flat();
  if (pid === undefined) return undefined;
  // /proc/<pid>/comm is the name of a thread, which Node calls MainThread.
  const [command = ''] = (await textOf(`/proc/${pid}/cmdline`)).split('\0');
  return { name: basename(command), pid: Number(pid) };
}

/**
 * Finds the ports that Linux gives to outgoing connections, if a port is one of them and no program listens there
 * (ip_local_port_range in the documentation of Linux). A connection keeps its port for a minute after its end.
 * @returns like `32768 to 60999`.
 */
export async function connectionPorts(port: number): Promise<string | undefined> {
  const [first = 0, last = 0] = (await textOf('/proc/sys/net/ipv4/ip_local_port_range'))
    .split('\t')
    .map(Number);
  const isGiven = first <= port && port <= last && (await listenersAt(port)).length === 0;
  return isGiven ? `${first} to ${last}` : undefined;
}

/** The inodes of the sockets that listen on a port, of all users. */
async function listenersAt(port: number): Promise<string[]> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(textOf));
  return tables.flatMap((table) => listenersIn(table, port));
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
