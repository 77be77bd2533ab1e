import { describe, expect, it, vi } from 'vitest';
import { readClientRequest } from '../../../../src/registry/client-request.ts';
import { createManifestBodies } from '../../../../src/registry/push/manifest-bodies.ts';
import { createBudget } from '../../../../src/request/budget.ts';
import { settled } from '../../../support/settled.ts';

function pushOf(bytes: number) {
  const body = new Uint8Array(bytes);
  const headers = { 'Content-Length': String(bytes) };
  const request = new Request('http://regshift.test/v2/a/manifests/b', { method: 'PUT', headers, body });
  const begun = { signal: undefined, budget: createBudget(10), asked: undefined };
  return readClientRequest(request, 'http://regshift.test', '', begun);
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let ended = false;
  const end = () => {
    ended = true;
  };
  promise.then(end, end);
  await settled();
  return ended;
}

const errorOf = (work: Promise<unknown>) => work.catch((error: unknown) => error);

const chunked = (...lengths: number[]) => ({
  ...pushOf(100_000),
  headers: new Headers({ 'transfer-encoding': 'chunked' }),
  body: () => ReadableStream.from(lengths.map((length) => new Uint8Array(length))),
});

describe('manifests in memory', () => {
  it('are a few where they are large; others wait for a place', async () => {
    const bodies = createManifestBodies(() => 0);
    const large = await Promise.all(Array.from({ length: 8 }, () => bodies.read(pushOf(100_000))));
    const waiting = [bodies.read(pushOf(100_000)), bodies.read(chunked(40_000, 40_000))];
    expect(await Promise.all(waiting.map(isSettled))).toEqual([false, false]);
    large[3]?.release();
    large[3]?.release();
    expect((await waiting[0])?.bytes.length).toBe(100_000);
    expect(await isSettled(waiting[1] as Promise<unknown>)).toBe(false);
    large[0]?.release();
    expect((await waiting[1])?.bytes.length).toBe(80_000);
  });

  it('need no place where they are small, of known length or not', async () => {
    const bodies = createManifestBodies(() => 0);
    for (let count = 0; count < 8; count += 1) await bodies.read(pushOf(100_000));
    expect((await bodies.read(pushOf(65_536)))?.bytes.length).toBe(65_536);
    expect((await bodies.read(chunked(65_000, 536)))?.bytes.length).toBe(65_536);
    const slow = { ...chunked(), body: () => new ReadableStream<Uint8Array>() };
    for (let count = 0; count < 20; count += 1) void bodies.read(slow);
    expect((await bodies.read(chunked(100)))?.bytes.length).toBe(100);
  });

  it('are refused after 30 s without a place, and after 90 s without their end', async () => {
    vi.useFakeTimers();
    try {
      const bodies = createManifestBodies(() => Date.now());
      const stuck = { ...pushOf(100_000), wholeBody: () => new Promise<never>(() => undefined) };
      const held = Array.from({ length: 8 }, () => errorOf(bodies.read(stuck)));
      const late = errorOf(bodies.read(pushOf(100_000)));
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await late).toMatchObject({ code: 'OVERLOADED', headers: { 'retry-after': '5' } });
      await vi.advanceTimersByTimeAsync(60_000);
      for (const each of held) expect(await each).toMatchObject({ code: 'MANIFEST_INVALID' });
      expect((await bodies.read(pushOf(100_000)))?.bytes.length).toBe(100_000);
    } finally {
      vi.useRealTimers();
    }
  });

  it('give back the place of work that ended without a word', async () => {
    vi.useFakeTimers();
    try {
      const bodies = createManifestBodies(() => Date.now());
      for (let count = 0; count < 8; count += 1) await bodies.read(pushOf(100_000));
      await vi.advanceTimersByTimeAsync(600_001);
      expect(await bodies.read(pushOf(100_000))).toBeDefined();
    } finally {
      vi.useRealTimers();
    }
  });

  it('give back the place of what is refused', async () => {
    const bodies = createManifestBodies(() => 0);
    const left = () => Promise.reject(new Error('Client connection prematurely closed.'));
    for (let count = 0; count < 20; count += 1) {
      await expect(bodies.read(chunked(5_000_000))).rejects.toMatchObject({ code: 'MANIFEST_TOO_LARGE' });
      const brokenOff = { ...pushOf(100_000), wholeBody: left };
      await expect(bodies.read(brokenOff)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    }
    expect(await bodies.read(pushOf(100_000))).toBeDefined();
  });
});
