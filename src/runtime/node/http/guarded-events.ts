import { EventEmitter } from 'node:events';

/**
 * Keeps exceptions of an emitter's listeners from the process, which Node would end for them. Each listener is called
 * on its own, so that those behind one that throws (the access log, counters, leases) are called all the same. An
 * `error` event without a listener counts as an exception too, as everywhere in Node.
 * @param onThrow is told the exception. It ends the connection that the emitter belongs to.
 */
export function guardEvents(emitter: EventEmitter, onThrow: (error: unknown) => void): void {
  const call = (event: string | symbol, args: readonly unknown[]): boolean => {
    const listeners = emitter.rawListeners(event);
    for (const listener of listeners) {
      try {
        Reflect.apply(listener, emitter, args);
      } catch (error) {
        onThrow(error);
      }
    }
    return listeners.length > 0;
  };
  emitter.emit = (event: string | symbol, ...args: readonly unknown[]) => {
    if (event === 'error') call(EventEmitter.errorMonitor, args);
    const heard = call(event, args);
    if (event === 'error' && !heard) onThrow(args[0]);
    return heard;
  };
}
