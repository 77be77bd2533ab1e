import { describe, expect, it } from 'vitest';
import { Serial } from '../../../src/concurrency/serial.ts';

const never = () => new Promise<never>(() => {});

describe('one after the other', () => {
  it('begins what came second when the first has ended, however that was', async () => {
    const serial = new Serial(() => undefined);
    const happened: string[] = [];
    const first = Promise.withResolvers<void>();
    const failing = serial.run('a', () => first.promise);
    const second = serial.run('a', async () => happened.push('second'));
    await serial.run('b', async () => happened.push('another key'));
    expect(happened).toEqual(['another key']);
    first.reject(new Error('no'));
    await expect(failing).rejects.toThrow('no');
    await second;
    expect(happened).toEqual(['another key', 'second']);
  });

  // The work of a request whose client has left, on Workers.
  it('waits for what never ends no longer than it has patience for, nor does who comes later', async () => {
    const serial = new Serial(() => undefined, 10);
    void serial.run('a', never);
    expect(await serial.run('a', async () => 'second')).toBe('second');
    expect(await serial.run('a', async () => 'third')).toBe('third');
  });
});
