import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { guardEvents } from '../../../../../src/runtime/node/http/guarded-events.ts';

function guarded() {
  const emitter = new EventEmitter();
  const thrown: unknown[] = [];
  guardEvents(emitter, (error) => thrown.push(error));
  return { emitter, thrown };
}

describe('guarded events', () => {
  it('reach every listener, in order, once where it was asked for once', () => {
    const { emitter, thrown } = guarded();
    const heard: unknown[] = [];
    emitter.on('event', (...args) => heard.push(['on', ...args]));
    emitter.once('event', () => {
      throw new Error('wrong');
    });
    emitter.once('event', function (this: unknown) {
      heard.push(this === emitter);
    });
    emitter.prependListener('event', () => heard.push('first'));
    expect([emitter.emit('event', 1, 2), emitter.emit('event'), emitter.emit('other')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(heard).toEqual(['first', ['on', 1, 2], true, 'first', ['on']]);
    expect(thrown.map(String)).toEqual(['Error: wrong']);
  });

  it('take an error that nothing listens to for an exception, and tell monitors first', () => {
    const { emitter, thrown } = guarded();
    const error = new Error('nothing listens');
    const monitored: unknown[] = [];
    emitter.on(EventEmitter.errorMonitor, (each) => monitored.push(each));
    expect(emitter.emit('error', error)).toBe(false);
    emitter.on('error', () => undefined);
    expect(emitter.emit('error', error)).toBe(true);
    expect([thrown, monitored]).toEqual([[error], [error, error]]);
  });
});
