import { zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { digestOf } from '../../../converters/digest.ts';
import { type ErrorCode, RegistryError } from '../../../src/errors.ts';
import { defaultDecompressionLimits } from '../../../src/layers/decompression-limits.ts';
import { createLayerInspector, createLayerLeases } from '../../../src/layers/inspector.ts';
import type { OpenLayer } from '../../../src/layers/layer-request.ts';
import { createNodeLayerCodec } from '../../../src/runtime/node/layers/codec.ts';
import { sourceOf } from '../../support/byte-streams.ts';
import { layerContent } from '../../support/layer-content.ts';
import { layerRequest } from '../../support/layer-request.ts';
import { testMemory } from '../../support/memory.ts';
import { settled } from '../../support/settled.ts';

const content = layerContent(50_000);
const compressed = new Uint8Array(zstdCompressSync(content));
const digest = digestOf(compressed);

function newLearner(limit = 4) {
  return createLayerInspector({
    registry: 'https://registry.example',
    codec: createNodeLayerCodec(),
    limits: defaultDecompressionLimits,
    cache: { get: async () => undefined, set: async () => {} },
    leases: createLayerLeases(limit, Date.now),
    clock: Date.now,
    background: () => undefined,
    memory: testMemory(),
  });
}

/** Opens in the order of the calls; a refusal comes once all requests wait for it. */
function scripted(...answers: readonly (Uint8Array | RegistryError)[]): {
  open: OpenLayer;
  opened: () => number;
} {
  let opened = 0;
  const open = async () => {
    const answer = answers[opened] ?? compressed;
    opened += 1;
    await settled();
    if (answer instanceof RegistryError) throw answer;
    return { stream: sourceOf(answer).stream, size: answer.length };
  };
  return { open, opened: () => opened };
}

const ofUpstream: readonly ErrorCode[] = [
  'UNAUTHORIZED',
  'DENIED',
  'BLOB_UNKNOWN',
  'RATE_LIMITED',
  'UPSTREAM_ANSWER',
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_TIMEOUT',
];
const ofContent: readonly ErrorCode[] = ['UPSTREAM_CONTENT'];
const secret = 'blob of acme/secret-merger';

describe('a reading that requests of several rights wait for', () => {
  it.each([...ofUpstream, ...ofContent])('%s of one repository is not told to another', async (code) => {
    const inspector = newLearner();
    const { open, opened } = scripted(new RegistryError(code, secret));
    const alice = inspector.facts(digest, layerRequest(open, 'acme/secret-merger', 'alice'));
    const bob = inspector.facts(digest, layerRequest(open, 'bob/app', 'bob'));
    await expect(alice).rejects.toThrow(secret);
    expect(await bob).toMatchObject({ size: content.length });
    expect(opened()).toBe(2);
  });

  it.each(ofUpstream)('%s of one login is not told to another of the same repository', async (code) => {
    const inspector = newLearner();
    const { open, opened } = scripted(new RegistryError(code, secret));
    const alice = inspector.facts(digest, layerRequest(open, 'team/app', 'alice'));
    const bob = inspector.facts(digest, layerRequest(open, 'team/app', 'bob'));
    await expect(alice).rejects.toThrow(secret);
    expect(await bob).toMatchObject({ size: content.length });
    expect(opened()).toBe(2);
  });

  it.each(ofContent)('%s is shared by those who read the same repository', async (code) => {
    const inspector = newLearner();
    const { open, opened } = scripted(new RegistryError(code, 'broken'));
    const all = ['alice', 'bob'].map((login) =>
      inspector.facts(digest, layerRequest(open, 'team/app', login)),
    );
    for (const each of all) await expect(each).rejects.toThrow('broken');
    expect(opened()).toBe(1);
  });

  it('requests that were sent on ask at once, each in its own right, and not one after the other', async () => {
    const inspector = newLearner();
    let [running, most] = [0, 0];
    const open: OpenLayer = async () => {
      most = Math.max(most, ++running);
      await settled();
      running -= 1;
      throw new RegistryError('DENIED', 'quota');
    };
    const logins = ['alice', 'bob', 'carol', 'dave'];
    const all = logins.map((login) => inspector.facts(digest, layerRequest(open, 'team/app', login)));
    for (const each of all) await expect(each).rejects.toThrow('quota');
    expect(most).toBe(3);
  });

  it('the size that one manifest claims ends its own request alone', async () => {
    const inspector = newLearner();
    const { open, opened } = scripted();
    const liar = inspector.facts(digest, { ...layerRequest(open, 'mallory/app', 'mallory'), maxSize: 100 });
    const bob = inspector.facts(digest, layerRequest(open, 'bob/app', 'bob'));
    await expect(liar).rejects.toMatchObject({ code: 'UPSTREAM_CONTENT', detail: { fault: 'claim' } });
    expect(await bob).toMatchObject({ packedSize: compressed.length });
    expect(opened()).toBe(1);
  });

  it('a layer that only the liar waits for is not read on', async () => {
    const inspector = newLearner();
    const source = sourceOf(compressed.subarray(0, 200), { after: 'silence' });
    const open = async () => ({ stream: source.stream, size: compressed.length });
    const liar = inspector.facts(digest, { ...layerRequest(open, 'mallory/app', 'mallory'), maxSize: 100 });
    await expect(liar).rejects.toMatchObject({ detail: { fault: 'claim' } });
    await settled();
    expect(source.cancelled).toBeDefined();
    expect(inspector.progress(digest)).toBeUndefined();
  });
});

describe('a reading that upstream holds back for one right', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Sends a layer's first bytes, and then nothing. */
  const hanging = () => {
    const source = sourceOf(compressed.subarray(0, 200), { after: 'silence' });
    return { source, open: async () => ({ stream: source.stream, size: compressed.length }) };
  };

  it.each([
    ['another repository', 'bob/app'],
    ['another login of the same repository', 'acme/app'],
  ])('does not hold back %s, which has the layer in seconds', async (_, repository) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'Date'] });
    const inspector = newLearner();
    const { open, source } = hanging();
    const alice = inspector.facts(digest, layerRequest(open, 'acme/app', 'alice'));
    const bob = inspector.facts(
      digest,
      layerRequest(
        async () => ({ stream: sourceOf(compressed).stream, size: compressed.length }),
        repository,
        'bob',
      ),
    );
    await vi.advanceTimersByTimeAsync(7_000);
    vi.useRealTimers();
    expect(await bob).toMatchObject({ size: content.length });
    // The result is shared: Alice's request reads nothing more.
    expect(await alice).toMatchObject({ size: content.length });
    await vi.waitFor(() => expect(source.cancelled).toBeDefined());
  });

  it('goes on in the right of a request that still waits, when its turn comes again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'Date'] });
    const inspector = newLearner(1);
    const blocker = hanging();
    const leavingBlocker = new AbortController();
    const other = digestOf(content);
    const blocked = inspector.facts(other, layerRequest(blocker.open, 'x/y', 'carol', '192.0.2.9'), {
      signal: leavingBlocker.signal,
    });
    const gone = expect(blocked).rejects.toThrow('left');
    const leaving = new AbortController();
    let aliceAsked = 0;
    const alice = inspector.facts(
      digest,
      layerRequest(
        async () => {
          aliceAsked += 1;
          throw new RegistryError('DENIED', 'gone');
        },
        'acme/app',
        'alice',
      ),
      { signal: leaving.signal },
    );
    const left = expect(alice).rejects.toThrow('left');
    const bob = inspector.facts(
      digest,
      layerRequest(
        async () => ({ stream: sourceOf(compressed).stream, size: compressed.length }),
        'acme/app',
        'bob',
      ),
    );
    await vi.advanceTimersByTimeAsync(100);
    leaving.abort(new Error('left'));
    leavingBlocker.abort(new Error('left'));
    await vi.advanceTimersByTimeAsync(100);
    vi.useRealTimers();
    await Promise.all([left, gone]);
    expect(await bob).toMatchObject({ size: content.length });
    expect(aliceAsked).toBe(0);
  });
});
