import { formatProblems, type SettingProblem } from '../config/problem.ts';
import type { Settings } from '../config/settings.ts';
import { connectionPorts, findPortHolder } from '../runtime/node/port-holder.ts';

interface Wrong {
  readonly problems: readonly SettingProblem[];
  readonly warnings: readonly string[];
}

/** A sentence about settings that stops nothing, as the commands print it. */
export function formatWarning(warning: string): string {
  return `warning: ${warning}`;
}

/** The text for settings with which the proxy cannot start, with a line for each problem and warning. */
export function cannotStart({ problems, warnings }: Wrong): string {
  const lines = [formatProblems(problems), ...warnings.map(formatWarning)];
  return `regshift cannot start with these settings:\n${lines.join('\n')}`;
}

/** The system's error for an address that a server cannot listen on. */
type ListenError = NodeJS.ErrnoException & { readonly address?: string; readonly port?: number };

/** The reason for which the proxy cannot start although its settings are right, in words for the operator. */
export async function startFailure(error: unknown, settings: Settings): Promise<string> {
  const { code, syscall, port } = error as ListenError;
  if (syscall === 'listen' && port !== undefined) {
    const setting = settingOf(port, settings);
    if (code === 'EADDRINUSE') return await portInUse(port, setting, settings);
    if (code === 'EACCES')
      return `the system does not let this user listen on port ${port}: set ${setting} to 1024 or more`;
  }
  if (code === 'EADDRNOTAVAIL' || (syscall === 'getaddrinfo' && code !== undefined)) {
    return `HOST is ${settings.HOST}, which is no address of this machine: set HOST to one of its own, or to 0.0.0.0 for all (${code})`;
  }
  return error instanceof Error ? error.message : String(error);
}

async function portInUse(port: number, setting: string, { HOST }: Settings): Promise<string> {
  const inUse = `port ${port} of ${HOST} is in use`;
  const given = await connectionPorts(port);
  if (given !== undefined) {
    return (
      `${inUse} by a connection, and no program listens there: the system gives the ports ${given} to outgoing ` +
      `connections. Start again in a minute, or set ${setting} to another port`
    );
  }
  const holder = await findPortHolder(port);
  const by = holder === undefined ? 'another program' : `${holder.name} (process ${holder.pid})`;
  const like = setting === ofRoute ? '' : `, like ${setting}=${port + 1}`;
  return `${inUse} by ${by}: end that program, or set ${setting} to a free port${like}`;
}

const ofRoute = 'match.port of the route';

/** The variable that sets a port. The ports of routes are in the file. */
function settingOf(port: number, { PORT, REGSHIFT_METRICS_PORT: metrics }: Settings): string {
  if (port === PORT) return 'PORT';
  return port === metrics ? 'REGSHIFT_METRICS_PORT' : ofRoute;
}
