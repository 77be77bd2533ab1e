import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RegistryError } from '../../../../src/errors.ts';
import { partOf } from '../../../../src/upstream/api/blob-part.ts';
import { type ResumedBodyOptions, resumedBody } from '../../../../src/upstream/api/resumed-body.ts';
import { bytesOf, received, sourceOf } from '../../../support/byte-streams.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MiB = 2 ** 20;
const blob = new Uint8Array(3 * MiB).map((_, at) => at % 251);

/** A response with the rest of the blob, whose connection breaks after so many bytes. */
function rest(from: number, length: number, error?: unknown): Response {
  const end = Math.min(blob.length, from + length);
  const source = sourceOf(blob.subarray(from, end), {
    piece: 65_536,
    ...(end < blob.length ? { after: 'error' as const } : {}),
  });
  const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(error) });
  const headers = { 'content-range': `bytes ${from}-${blob.length - 1}/${blob.length}` };
  return new Response(error === undefined ? source.stream : broken, { status: 206, headers });
}

/** Reads a blob whose connections each give so many bytes. */
function reading(lengths: readonly number[], more: Partial<ResumedBodyOptions> = {}) {
  const requests: { readonly from: number; readonly at: number }[] = [];
  const left = [...lengths];
  const began = Date.now();
  const first = partOf(rest(0, left.shift() ?? 0));
  if (first === undefined) throw new Error('no part');
  const stream = resumedBody(first, {
    async request(from) {
      requests.push({ from, at: Date.now() - began });
      return rest(from, left.shift() ?? 0);
    },
    errorOf: async ({ status }) => new RegistryError('UPSTREAM_ANSWER', `status ${status}`),
    what: 'layer X',
    signal: undefined,
    ...more,
  });
  return { stream, requests };
}

describe('the body of a blob', () => {
  it('survives any number of breaks with a MiB of progress in five of them', async () => {
    const lengths = Array.from({ length: 15 }, () => Math.ceil(MiB / 4.5));
    const { stream, requests } = reading(lengths);
    expect(await bytesOf(stream)).toEqual(blob);
    expect(requests.length).toBeGreaterThan(10);
    expect(requests.map(({ at }) => at)).toEqual(requests.map(() => 0));
  });

  it('waits longer each time while no byte comes, and fails at the sixth break', async () => {
    const { stream, requests } = reading([1_000]);
    const ended = received(stream);
    await vi.advanceTimersByTimeAsync(60_000);
    const { bytes, error } = await ended;
    expect(bytes).toHaveLength(1_000);
    expect(error).toMatchObject({
      code: 'UPSTREAM_ANSWER',
      message: expect.stringContaining('from byte 1000'),
    });
    expect(requests.map(({ at }) => at)).toEqual([0, 500, 1_500, 3_500, 7_500]);
  });

  it('waits for a registry that restarts', async () => {
    let nth = 0;
    const { stream } = reading([1_000], {
      async request(from) {
        nth += 1;
        if (nth === 1) throw new RegistryError('UPSTREAM_UNREACHABLE', 'connection refused');
        return nth === 2 ? new Response('starting', { status: 503 }) : rest(from, blob.length);
      },
    });
    const ended = bytesOf(stream);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await ended).toEqual(blob);
    expect(nth).toBe(3);
  });

  it.each(['UPSTREAM_TIMEOUT', 'RATE_LIMITED', 'UNAUTHORIZED'] as const)(
    'fails at once by %s',
    async (code) => {
      const request = vi.fn().mockRejectedValue(new RegistryError(code, 'as scripted'));
      const { stream } = reading([1_000], { request });
      expect((await received(stream)).error).toMatchObject({ code });
      expect(request).toHaveBeenCalledTimes(1);
    },
  );

  it('is not requested again after a silence, or after an abort', async () => {
    const left = new AbortController();
    left.abort(new Error('left'));
    const silence = Object.assign(new Error('stood still'), { code: 'ETIMEDOUT' });
    for (const [error, signal] of [
      [silence, undefined],
      [new Error('aborted'), left.signal],
    ] as const) {
      const request = vi.fn();
      const first = partOf(rest(0, 0, error));
      if (first === undefined) throw new Error('no part');
      const options = { request, errorOf: vi.fn(), what: 'layer X', signal };
      expect((await received(resumedBody(first, options))).error).toBe(error);
      expect(request).not.toHaveBeenCalled();
    }
  });

  it('ends its request, or its pause, when the reader leaves', async () => {
    let aborted: AbortSignal | undefined;
    const { stream } = reading([1_000], {
      request: (_, signal) => {
        aborted = signal;
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        );
      },
    });
    const reader = stream.getReader();
    await reader.read();
    const pending = reader.read();
    await vi.advanceTimersByTimeAsync(1);
    await reader.cancel('gone');
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(aborted?.aborted).toBe(true);
  });

  it('counts bytes that are read once more as skipped', async () => {
    let skipped = 0;
    const { stream } = reading([200_000], {
      request: async () => new Response(blob, { headers: { 'content-length': String(blob.length) } }),
      onSkipped: (bytes) => {
        skipped += bytes;
      },
    });
    expect(await bytesOf(stream)).toEqual(blob);
    expect(skipped).toBe(200_000);
  });

  it.each([1_000, 65_536])(
    'ends at the end of a part, where the rest comes as the whole blob in chunks of %i bytes',
    async (piece) => {
      const first = partOf(rest(0, 1_000));
      if (first === undefined) throw new Error('no part');
      const whole = sourceOf(blob, { piece });
      const stream = resumedBody(first, {
        request: async () => new Response(whole.stream),
        errorOf: vi.fn(),
        end: 5_000,
        what: 'layer X',
        signal: undefined,
      });
      expect(await bytesOf(stream)).toEqual(blob.subarray(0, 5_000));
      expect(whole.cancelled).toBeDefined();
      expect(whole.taken).toBeLessThanOrEqual(65_536);
    },
  );
});
