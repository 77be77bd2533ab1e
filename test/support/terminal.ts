import { existsSync, readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { type RunningLine, type ShellOptions, startLine } from './shell.ts';

/** Whether this machine has `script` of util-linux, which gives its command a terminal. */
export const hasTerminals = existsSync('/usr/bin/script') && existsSync('/proc/self/stat');

export interface OnTerminal extends Pick<RunningLine, 'printed'> {
  /** The process of the line. It ends with the test. */
  readonly pid: number;
  /** Closes the terminal, as the end of its window does. */
  close(): Promise<void>;
}

/**
 * Runs a shell line on a terminal, and waits for a text in its output.
 * @param isControlling false: a SIGHUP does not reach the process when the terminal is closed.
 */
export async function startOnTerminal(
  line: string,
  ready: RegExp,
  options: ShellOptions,
  isControlling = true,
): Promise<OnTerminal> {
  const command = `sh -c ${quoted(`echo "pid=$$."; exec ${line}`)}`;
  const onIt = isControlling ? `exec ${command}` : `setsid --wait ${command}`;
  const { printed, stop } = await startLine(`script -qec ${quoted(onIt)} /dev/null`, ready, options);
  const pid = Number(/pid=(\d+)\./.exec(printed())?.[1]);
  onTestFinished(() => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  return { printed, pid, close: stop };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Whether a process is there, and not only its exit code, which its parent has not read (proc(5), state Z). */
export function isRunning(pid: number): boolean {
  try {
    const [state = ''] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1) ?? '';
    return !'ZX'.includes(state);
  } catch {
    return false;
  }
}
