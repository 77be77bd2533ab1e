import { executionAsyncResource } from 'node:async_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { garbageCollector } from './garbage.ts';

/** Time between two looks at the work of the process, in milliseconds: before the first collection, and after it. */
const lookMs = { first: 1_000, later: 10_000 };
/** The process is quiet if it takes at most this part of a processor. */
const quietPart = 0.05;
/** CPU of the work after which there is garbage to give back, in milliseconds. It is much more than a collection takes. */
const workMs = 2_000;
/** The largest heap for which a request may have to wait: a collection takes about 2 ms for each MiB. */
const mostHeapBytes = 67_108_864;

/**
 * Keeps the memory of the process small, from now on. V8 collects garbage when its heap has grown by a fifth, in place of
 * two thirds or more. When the process is quiet after its start, and after work, V8 gives back to the system what it
 * holds in reserve, which it does not by itself: 6 MiB after a start, and about 25 after 10,000 images. A request that
 * comes just then waits for 30 to 50 ms.
 *
 * To be called when the code of the start is loaded and its compile cache is written: V8 uses no compiled code that was
 * stored under other flags, also not the code that Node brings of itself. As an argument of Node, the same flag made
 * the start 35 ms longer.
 */
export function saveMemory(): void {
  void holdClassOfTicks();
  setFlagsFromString('--heap-growing-percent=20');
  const gc = garbageCollector();
  const collect = () => {
    // V8 would also drop the code of functions that have not run lately, and the next request would wait for it.
    setFlagsFromString('--no-flush-bytecode');
    // The collection that V8 makes before it runs out of memory.
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    setFlagsFromString('--flush-bytecode');
  };
  let [lastLook, lastCollection] = [cpuMs(), Number.NEGATIVE_INFINITY];
  const look = (waitedMs: number) => {
    const now = cpuMs();
    const isQuiet = now - lastLook <= waitedMs * quietPart;
    const hasWorked = now - lastCollection >= workMs;
    lastLook = now;
    if (isQuiet && hasWorked && getHeapStatistics().used_heap_size <= mostHeapBytes) {
      collect();
      lastCollection = lastLook = cpuMs();
    }
    wait();
  };
  const wait = () => {
    const milliseconds = lastCollection < 0 ? lookMs.first : lookMs.later;
    setTimeout(look, milliseconds, milliseconds).unref();
  };
  wait();
}

/** An entry in the queue of `process.nextTick`, held for its hidden class. */
let heldTick: object;

/**
 * Holds the hidden class of the entries that `process.nextTick` makes, without which each later call takes a slow way: a
 * remembered response takes 17 µs of CPU outside of the system in place of 14.
 *
 * Such an entry is a literal with computed keys (Node 24.21, lib/internal/process/task_queues.js). V8 remembers one class
 * for such a place in the code (Runtime_DefineKeyedOwnPropertyInLiteral, deps/v8/src/runtime/runtime-object.cc), and
 * drops a class of which a collection finds no object, as in a quiet process. The next entry then has a second class,
 * and V8 remembers none from there on.
 * @returns the entry that is held
 */
export function holdClassOfTicks(): Promise<object> {
  return new Promise((resolve) => {
    process.nextTick(() => {
      heldTick = executionAsyncResource();
      resolve(heldTick);
    });
  });
}

/** CPU of all threads of the process, in milliseconds. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
