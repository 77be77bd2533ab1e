import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { createDigester } from '../../../../src/layers/digester.ts';
import type { BlobName, BlobWrite } from '../../../../src/layers/store/blob-store.ts';
import { createFill, type Fill, FillEnded } from '../../../../src/layers/store/fill.ts';
import { createNodeLayerCodec } from '../../../../src/runtime/node/layers/codec.ts';
import { concatenated } from '../../../support/byte-streams.ts';
import { createGate } from '../../../support/gate.ts';
import { layerContent } from '../../../support/layer-content.ts';

const codec = createNodeLayerCodec();
const bytes = layerContent(1_000_000);
const blob: BlobName = { digest: digestOf(bytes), size: bytes.length };
const MiB = 2 ** 20;

/** A write whose parts can be made to fail or wait. */
function recordedWrite(more: Partial<BlobWrite> = {}) {
  const pieces: Uint8Array[] = [];
  const calls: string[] = [];
  const write: BlobWrite = {
    async add(piece) {
      pieces.push(piece);
    },
    async commit({ digest, registry }) {
      calls.push(`commit ${digest} ${registry}`);
    },
    async abort() {
      calls.push('abort');
    },
    async readBack(from, into) {
      const all = concatenated(...pieces).subarray(from, from + into.length);
      into.set(all);
      return all.length;
    },
    release: () => void calls.push('release'),
    ...more,
  };
  return { write, calls };
}

function fillOf(write: BlobWrite | Promise<BlobWrite>) {
  let now = 0;
  const pass = (milliseconds: number) => {
    now += milliseconds;
  };
  const ended = vi.fn();
  const committing = vi.fn();
  const fill = createFill({
    used: () => {},
    open: async () => write,
    registry: 'of-the-registry',
    digester: createDigester(codec.hash('sha256')),
    clock: () => now,
    committing,
    ended,
  });
  return { fill, ended, committing, pass };
}

const never = new AbortController().signal;
const whole = { start: 0, stop: bytes.length, blob };

async function read(pieces: AsyncGenerator<Uint8Array> | undefined): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  if (pieces) for await (const piece of pieces) all.push(piece);
  return concatenated(...all);
}

describe('a fill', () => {
  it('stores bytes that have the digest', async () => {
    const { write, calls } = recordedWrite();
    const { fill, ended, committing } = fillOf(write);
    await fill.add(bytes);
    expect(await fill.commit(blob)).toBe(true);
    await vi.waitFor(() => expect(ended).toHaveBeenCalledWith({ stored: blob }));
    expect(committing).toHaveBeenCalledWith(blob);
    expect(calls).toEqual([`commit ${blob.digest} of-the-registry`, 'release']);
  });

  it.each([
    ['another digest', { digest: digestOf(layerContent(3)), size: bytes.length }],
    ['another size', { digest: blob.digest, size: bytes.length + 1 }],
  ])('drops bytes with %s', async (_, expected) => {
    const { write, calls } = recordedWrite();
    const { fill, ended } = fillOf(write);
    await fill.add(bytes);
    expect(await fill.commit(expected)).toBe(false);
    await vi.waitFor(() => expect(ended).toHaveBeenCalledWith({}));
    expect(calls).toEqual(['abort', 'release']);
  });

  it('hashes on when the store fails, and reports the error once', async () => {
    const full = new Error('ENOSPC');
    const { write, calls } = recordedWrite({ add: () => Promise.reject(full) });
    const { fill, ended } = fillOf(write);
    for (const at of [0, 500_000]) await fill.add(bytes.subarray(at, at + 500_000));
    await vi.waitFor(() => expect(ended).toHaveBeenCalledTimes(1));
    expect(await fill.digest()).toBe(blob.digest);
    expect(await fill.commit(blob)).toBe(true);
    expect(ended).toHaveBeenCalledExactlyOnceWith({ error: full });
    expect(calls).not.toContain(`commit ${blob.digest} of-the-registry`);
  });

  it('leaves a store that is far slower than the source, and keeps one that is not', async () => {
    for (const [passed, isLeft] of [
      [11_000, true],
      [900, false],
    ] as const) {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const gate = createGate();
      const { write } = recordedWrite({ add: () => gate.pass() });
      const { fill, ended, pass } = fillOf(write);
      for (let piece = 0; piece < 4; piece += 1) await fill.add(new Uint8Array(MiB));
      const waiting = fill.add(new Uint8Array(MiB));
      await vi.advanceTimersByTimeAsync(500);
      pass(passed);
      await vi.advanceTimersByTimeAsync(600);
      vi.useRealTimers();
      expect(ended.mock.calls.length).toBe(isLeft ? 1 : 0);
      gate.open();
      await waiting;
      fill.abort();
    }
  });

  it('ends a write that is opened too late', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { promise, resolve } = Promise.withResolvers<BlobWrite>();
    const { write, calls } = recordedWrite();
    const { fill, ended } = fillOf(promise);
    await fill.add(bytes);
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    expect(ended).toHaveBeenCalledExactlyOnceWith({ error: new Error('no answer in 60 s') });
    resolve(write);
    await vi.waitFor(() => expect(calls).toEqual(['release', 'abort']));
  });
});

describe('a follower of a fill', () => {
  it('gets the bytes as they are written, and the last ones after the digest of all', async () => {
    const { write } = recordedWrite();
    const { fill } = fillOf(write);
    await fill.add(bytes.subarray(0, 600_000));
    const pieces = await fill.follow(whole, never);
    const first = await pieces?.next();
    expect(first?.value?.length).toBeGreaterThan(0);
    await fill.add(bytes.subarray(600_000));
    const rest = read(pieces);
    const isOver: boolean = await Promise.race([rest.then(() => true), sleep(50, false)]);
    expect(isOver).toBe(false);
    await fill.commit(blob);
    expect(digestOf(concatenated(first?.value ?? new Uint8Array(), await rest))).toBe(blob.digest);
  });

  it('gets a part that does not reach the end without waiting for the digest', async () => {
    const { write } = recordedWrite();
    const { fill } = fillOf(write);
    await fill.add(bytes.subarray(0, 600_000));
    const part = await read(await fill.follow({ start: 1_000, stop: 2_000, blob }, never));
    expect(digestOf(part)).toBe(digestOf(bytes.subarray(1_000, 2_000)));
    fill.abort();
  });

  it.each([
    ['is given up', (fill: Fill): unknown => fill.abort(), false],
    [
      'has other bytes',
      (fill: Fill): unknown => fill.commit({ digest: digestOf(layerContent(9)), size: 600_000 }),
      true,
    ],
  ] as const)('ends when the fill %s', async (_, how, isWrong) => {
    const { write } = recordedWrite();
    const { fill } = fillOf(write);
    await fill.add(bytes.subarray(0, 600_000));
    const reading = read(await fill.follow(whole, never));
    await how(fill);
    const error: unknown = await reading.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(FillEnded);
    expect((error as FillEnded).isWrong).toBe(isWrong);
  });

  it('that expects another blob than the fill has ends, and gets not all bytes', async () => {
    const { write } = recordedWrite();
    const { fill } = fillOf(write);
    await fill.add(bytes);
    const other = { digest: digestOf(layerContent(9)), size: bytes.length };
    const reading = read(await fill.follow({ ...whole, blob: other }, never));
    await fill.commit(blob);
    await expect(reading).rejects.toMatchObject({ isWrong: true });
  });

  it('does not wait for a store that makes room for longer than three seconds', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { fill } = fillOf(new Promise<BlobWrite>(() => {}));
    const followed = fill.follow(whole, never);
    await vi.advanceTimersByTimeAsync(3_000);
    await expect(Promise.race([followed, 'waits'])).resolves.toBeUndefined();
  });

  it('keeps the file open until it has ended', async () => {
    const { write, calls } = recordedWrite();
    const { fill, ended } = fillOf(write);
    await fill.add(bytes);
    const pieces = await fill.follow(whole, never);
    await pieces?.next();
    await fill.commit(blob);
    await vi.waitFor(() => expect(ended).toHaveBeenCalled());
    expect(calls).not.toContain('release');
    await read(pieces);
    expect(calls).toContain('release');
    expect(await fill.follow(whole, never)).toBeUndefined();
  });

  it('ends its wait with its signal', async () => {
    const { write } = recordedWrite();
    const { fill } = fillOf(write);
    await fill.add(bytes.subarray(0, 10));
    const left = new AbortController();
    const reading = read(await fill.follow(whole, left.signal));
    left.abort(new Error('the client has left'));
    await expect(reading).rejects.toThrow('the client has left');
    fill.abort();
  });
});
