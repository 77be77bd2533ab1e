import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, isListening } from '../../support/daemon.ts';
import { cpuTime } from '../measure.ts';
import { oneRequest } from './one-request.ts';
import { paced } from './paced.ts';

/**
 * The speed of this machine at this moment: the CPU time of a request to a bare Node server, which gets a request now
 * and then beside all that is measured. Where other programs share the processor, all requests cost more at once.
 */
export interface Reference {
  /** Begins a reading. @returns a function that ends it: milliseconds of CPU for each request since. */
  read(): () => number;
  stop(): Promise<void>;
}

const perSecond = 30;

export async function startReference(): Promise<Reference> {
  const port = await freePort();
  const program = new URL('../bare.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, String(port)], { stdio: ['pipe', 'ignore', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  child.stdin?.end('{}');
  while (!(await isListening(port))) await sleep(25);
  let answers = 0;
  let stopped = false;
  const send = async () => {
    await oneRequest({ port, path: '/v2/' });
    answers += 1;
  };
  await paced(1_000, 500, send);
  const run = async () => {
    while (!stopped) await paced(perSecond, perSecond, send);
  };
  const running = run();
  const pid = child.pid ?? 0;
  return {
    read: () => {
      const [before, first] = [cpuTime(pid), answers];
      return () => (cpuTime(pid) - before) / (answers - first);
    },
    stop: async () => {
      stopped = true;
      await running;
      child.kill();
    },
  };
}
