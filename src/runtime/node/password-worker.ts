import { getCompileCacheDir } from 'node:module';
import { dirname, extname } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { ComparePassword } from '../../auth/compare-password.ts';
import type { Clock } from '../../clock.ts';
import { RegistryError } from '../../errors.ts';
import type { Log } from '../../observability/log.ts';
import type { Compared, Comparison } from './password-thread.ts';

/** Minimum time between two starts of the thread: a start takes some 50 ms and 27 MB. */
const betweenStartsMs = 5_000;

/** Deadline for one comparison; the slowest login that an htpasswd file may have takes some 2 s. */
const deadlineMs = 60_000;

/** `.ts` in the sources, `.js` in the npm package. */
const script = new URL(`./password-thread${extname(import.meta.filename)}`, import.meta.url);

interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, PromiseWithResolvers<boolean>>;
}

export interface PasswordWorkerOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** The thread's program, for tests. */
  readonly program?: URL;
}

/**
 * Compares passwords on one thread beside the event loop, so that requests are answered meanwhile. The thread starts
 * at the first comparison, does not keep the process alive, and is replaced after its end.
 */
export function createPasswordWorker({
  log,
  clock,
  program = script,
}: PasswordWorkerOptions): ComparePassword {
  let thread: Thread | undefined;
  let startedAt = Number.NEGATIVE_INFINITY;
  let last = 0;

  function start(): Thread {
    if (clock() - startedAt < betweenStartsMs) throw notCompared();
    startedAt = clock();
    const worker = new Worker(program, { ...threadOptions, env: environment() });
    const started: Thread = { worker, pending: new Map() };
    const ended = (reason: string) => {
      if (thread !== started) return;
      thread = undefined;
      log('error', 'the thread that compares passwords ended', { reason });
      for (const { reject } of started.pending.values()) reject(notCompared());
    };
    worker.on('message', ({ id, matches }: Compared) => started.pending.get(id)?.resolve(matches));
    worker.once('error', (error) => ended(error instanceof Error ? error.message : String(error)));
    worker.once('exit', (code) => ended(`exit code ${code}`));
    // After the listeners are set: a message listener makes Node count the thread again.
    worker.unref();
    thread = started;
    return started;
  }

  return async (password, hash, decoys) => {
    const { worker, pending } = thread ?? start();
    const comparison: Comparison = { id: last++, password, hash, decoys };
    const result = Promise.withResolvers<boolean>();
    pending.set(comparison.id, result);
    const timer = setTimeout(() => void worker.terminate(), deadlineMs);
    try {
      worker.postMessage(comparison);
      return await result.promise;
    } finally {
      clearTimeout(timer);
      pending.delete(comparison.id);
    }
  };
}

/**
 * The thread does not get the flags of the process: `node --input-type=module --eval …`, as a script may embed it,
 * allows no thread.
 */
const threadOptions: WorkerOptions = {
  name: 'passwords',
  execArgv: [],
  resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 },
};

/**
 * The thread gets no variables of the process, since some are secrets. It enables the compile cache by a variable
 * alone, below a folder for its version of Node (`getCompileCacheDir`). Without the cache, the thread loads Node's
 * type stripper, which takes 16 MB.
 */
function environment(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}

function notCompared(): RegistryError {
  const message =
    'The password could not be compared: the thread for it ended. Try again in a few seconds; the log of regshift ' +
    'says why.';
  return new RegistryError('INTERNAL', message, { headers: { 'retry-after': '5' } });
}
