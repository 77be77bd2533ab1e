import { EventEmitter } from 'node:events';

/**
 * Catches exceptions of an emitter's listeners, which would end the process. Each listener is called by itself, so
 * that an exception does not skip the listeners after it (access log, counters, leases). An `error` event without a
 * listener counts as an exception, as everywhere in Node.
 * @param onThrow gets the exception. It ends the connection of the emitter.
 */
export function guardEvents(emitter: EventEmitter, onThrow: (error: unknown) => void): void {
  const emit = emitter.emit;
  const call = (event: string | symbol, args: readonly unknown[]): boolean => {
    // Most events have one listener at most: then Node's own way calls it by itself.
    if (emitter.listenerCount(event) < 2 && event !== 'error') {
      try {
        return emit.call(emitter, event, ...args);
      } catch (error) {
        onThrow(error);
        return true;
      }
    }
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
