import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import {
  createFileOperations,
  FolderHangs,
  hasFileOperations,
  placesInPool,
} from '../../../../../src/runtime/node/store/file-operations.ts';

/** Operations in two places with this time limit, and those that have begun, by their names. */
function twoPlaces(limit = 10_000) {
  const begun: string[] = [];
  const ends = new Map<string, (value: string) => void>();
  const storeHung = vi.fn();
  const operations = createFileOperations({
    places: 2,
    limits: { quick: limit, sync: limit },
  });
  operations.countIn({ storeHung });
  storeHung.mockClear();
  const hanging = (name: string) => () =>
    new Promise<string>((resolve) => {
      begun.push(name);
      ends.set(name, resolve);
    });
  const end = (name: string) => ends.get(name)?.(name);
  return { operations, begun, hanging, end, storeHung };
}

describe('file operations of a store', () => {
  it('are counted in metrics that come later, also those that hang already', async () => {
    const operations = createFileOperations({ places: 2, limits: { quick: 20, sync: 20 } });
    let end = () => {};
    const hanging = operations.run('quick', () => new Promise<void>((resolve) => (end = resolve)));
    await expect(hanging).rejects.toThrow(FolderHangs);
    const storeHung = vi.fn();
    operations.countIn({ storeHung });
    expect(storeHung.mock.calls).toEqual([[1]]);
    end();
    await vi.waitFor(() => expect(storeHung.mock.calls).toEqual([[1], [0]]));
  });

  it('run in a bounded number of places, the others in their order', async () => {
    const { operations, begun, hanging, end } = twoPlaces();
    const all = ['one', 'two', 'three', 'four'].map((name) => operations.run('quick', hanging(name)));
    expect(begun).toEqual(['one', 'two']);
    end('two');
    await all[1];
    await vi.waitFor(() => expect(begun).toEqual(['one', 'two', 'three']));
    for (const name of ['one', 'three']) end(name);
    await vi.waitFor(() => expect(begun).toHaveLength(4));
    end('four');
    expect(await Promise.all(all)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('keep their places past their time limit, and further ones are refused at once', async () => {
    const { operations, begun, hanging, end, storeHung } = twoPlaces(50);
    const waiting = ['one', 'two', 'three'].map((name) => operations.run('quick', hanging(name)));
    const ends = await Promise.allSettled(waiting);
    expect(ends.map((each) => each.status === 'rejected' && each.reason)).toEqual(
      Array(3).fill(expect.any(FolderHangs)),
    );
    expect(begun).toEqual(['one', 'two']);
    expect([operations.isHung(), hasFileOperations()]).toEqual([true, true]);
    expect(storeHung).toHaveBeenLastCalledWith(2);
    const refused = operations.run('quick', hanging('four'));
    await expect(Promise.race([refused, sleep(10)])).rejects.toThrow('2 file operations hang');
    end('one');
    await vi.waitFor(() => expect(operations.isHung()).toBe(false));
    const next = operations.run('quick', async () => 'next');
    expect(await next).toBe('next');
    end('two');
    await vi.waitFor(() => expect(hasFileOperations()).toBe(false));
    expect(storeHung).toHaveBeenLastCalledWith(0);
  });

  it('leave a place to others while a whole file is written to its disk', async () => {
    const { operations, begun, hanging, end } = twoPlaces();
    const syncs = ['one', 'two'].map((name) => operations.run('sync', hanging(name)));
    const read = operations.run('quick', hanging('read'));
    expect(begun).toEqual(['one', 'read']);
    for (const name of ['one', 'read']) end(name);
    await vi.waitFor(() => expect(begun).toContain('two'));
    end('two');
    await Promise.all([...syncs, read]);
  });

  it('hand a late value to the caller that cleans up, and run patient work in the end', async () => {
    const { operations, hanging, end } = twoPlaces(50);
    const ended = vi.fn();
    const waiting = ['one', 'two'].map((name) => operations.run('quick', hanging(name), { ended }));
    await Promise.allSettled(waiting);
    const patient = operations.run('quick', async () => 'closed', { isPatient: true });
    expect(ended).not.toHaveBeenCalled();
    end('one');
    expect(await patient).toBe('closed');
    expect(ended.mock.calls).toEqual([[{ value: 'one', isLate: true }]]);
    end('two');
  });

  it.each([
    [undefined, 2],
    ['1', 1],
    ['0', 1],
    ['many', 1],
    ['8', 4],
    ['5000', 512],
  ])('have half of the threads of the pool (UV_THREADPOOL_SIZE=%s: %i)', (size, places) => {
    expect(placesInPool(size)).toBe(places);
  });
});
