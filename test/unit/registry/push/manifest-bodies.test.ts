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

/** The clock of timers alone: streams use `setImmediate`. */
const timers = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] as const;

/** Waits like `settled`, while timers stand still. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const errorOf = (work: Promise<unknown>) => work.catch((error: unknown) => error);

const streamOf = (...lengths: number[]) => ({
  ...pushOf(100_000),
  headers: new Headers({ 'transfer-encoding': 'chunked' }),
  body: () => ReadableStream.from(lengths.map((length) => new Uint8Array(length))),
});

/** A push that sends so many bytes and then nothing. */
const stalling = (bytes: number, address = '192.0.2.1') => {
  const body = () => {
    let isSent = false;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        if (isSent) return new Promise(() => undefined);
        isSent = true;
        controller.enqueue(new Uint8Array(bytes));
      },
    });
  };
  return from(address, { ...pushOf(4_000_000), body });
};

const from = (address: string, request: ReturnType<typeof pushOf>) => ({
  ...request,
  context: { ...request.context, requester: () => ({ address, login: '' }) },
});

describe('manifests in memory', () => {
  it('are read at once while there is memory, whatever their number', async () => {
    const bodies = createManifestBodies(() => 0);
    const read = await Promise.all(
      Array.from({ length: 30 }, (_, at) => bodies.read(from(`192.0.2.${at}`, pushOf(100_000)))),
    );
    expect(new Set(read.map((body) => body?.bytes.length))).toEqual(new Set([100_000]));
    expect((await bodies.read(streamOf(40_000, 40_000)))?.bytes.length).toBe(80_000);
  });

  it('wait for memory beyond 32 MiB, and then go on', async () => {
    const bodies = createManifestBodies(() => 0);
    const held = await Promise.all(
      Array.from({ length: 8 }, (_, at) => bodies.read(from(`192.0.2.${at}`, pushOf(4_194_304)))),
    );
    const next = bodies.read(from('192.0.2.99', pushOf(4_194_304)));
    expect(await isSettled(next)).toBe(false);
    expect((await bodies.read(pushOf(65_536)))?.bytes.length).toBe(65_536);
    held[3]?.release();
    held[3]?.release();
    expect((await next)?.bytes.length).toBe(4_194_304);
    expect(await isSettled(bodies.read(from('192.0.2.100', pushOf(4_194_304))))).toBe(false);
  });

  it('of one address take a quarter of the memory, and only for bytes that have come', async () => {
    const bodies = createManifestBodies(() => 0);
    for (let count = 0; count < 20; count += 1) void bodies.read(stalling(0)).catch(() => undefined);
    for (let count = 0; count < 6; count += 1) void bodies.read(stalling(4_000_000)).catch(() => undefined);
    expect(await isSettled(bodies.read(from('192.0.2.1', pushOf(4_000_000))))).toBe(false);
    expect((await bodies.read(from('192.0.2.2', pushOf(4_000_000))))?.bytes.length).toBe(4_000_000);
  });

  it('are refused after 30 s without memory, and after 30 s without a byte', async () => {
    vi.useFakeTimers({ toFake: [...timers] });
    try {
      const bodies = createManifestBodies(() => Date.now());
      const large = () => bodies.read(from('192.0.2.1', pushOf(4_000_000)));
      const [first] = [await large(), await large()];
      const late = errorOf(large());
      await turns();
      await vi.advanceTimersByTimeAsync(30_001);
      expect(await late).toMatchObject({ code: 'OVERLOADED', headers: { 'retry-after': '5' } });
      first?.release();
      const stuck = errorOf(bodies.read(stalling(4_000_000)));
      await turns();
      await vi.advanceTimersByTimeAsync(30_001);
      expect(await stuck).toMatchObject({ code: 'MANIFEST_INVALID' });
      expect((await large())?.bytes.length).toBe(4_000_000);
    } finally {
      vi.useRealTimers();
    }
  });

  it('give back the memory of work that ended without a word', async () => {
    vi.useFakeTimers({ toFake: [...timers] });
    try {
      const bodies = createManifestBodies(() => Date.now());
      for (let count = 0; count < 2; count += 1) await bodies.read(pushOf(4_194_304));
      await vi.advanceTimersByTimeAsync(600_001);
      expect(await bodies.read(pushOf(4_194_304))).toBeDefined();
    } finally {
      vi.useRealTimers();
    }
  });

  it('give back the memory of what is refused', async () => {
    const bodies = createManifestBodies(() => 0);
    const body = () =>
      new ReadableStream<Uint8Array>({
        pull: () => Promise.reject(new Error('Client connection prematurely closed.')),
      });
    for (let count = 0; count < 20; count += 1) {
      await expect(bodies.read(streamOf(5_000_000))).rejects.toMatchObject({ code: 'MANIFEST_TOO_LARGE' });
      const brokenOff = { ...pushOf(100_000), body };
      await expect(bodies.read(brokenOff)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    }
    expect(await bodies.read(pushOf(100_000))).toBeDefined();
  });
});
