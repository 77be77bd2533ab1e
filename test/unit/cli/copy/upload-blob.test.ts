import { describe, expect, it, onTestFinished, test } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { parseRepositoryName, type RepositoryName } from '../../../../converters/reference.ts';
import { uploadResumably } from '../../../../src/cli/copy/upload-blob.ts';
import type { UploadSource } from '../../../../src/cli/copy/upload-source.ts';
import { systemClock, systemWallClock } from '../../../../src/clock.ts';
import { createPullStream } from '../../../../src/layers/pull-stream.ts';
import { createHttpFetch } from '../../../../src/runtime/node/http/fetch.ts';
import { createNodeLayerCodec } from '../../../../src/runtime/node/layers/codec.ts';
import { nodeMemory } from '../../../../src/runtime/node/platform.ts';
import { createUpstreamClient } from '../../../../src/upstream/client.ts';
import { startUploadRegistry, type UploadRegistryOptions } from '../../../support/upload-registry.ts';

const repository = parseRepositoryName('team/app') as RepositoryName;
const content = new Uint8Array(6_000_000).map((_, index) => (index * 31 + (index >> 12)) % 251);
const digest = digestOf(content);
const pieceBytes = 65_536;

/** A source that gives the bytes from each offset, or from the first byte, and notes the offsets. */
function sourceOf(
  bytes: Uint8Array,
  { parts = true, sized = true, pauseMs = 0, named = digestOf(bytes), stated = bytes.length } = {},
) {
  const opened: number[] = [];
  const source: UploadSource = {
    digest: named,
    size: stated,
    async open(from) {
      opened.push(from);
      const start = parts ? from : 0;
      async function* pieces() {
        for (let at = start; at < bytes.length; at += pieceBytes) {
          if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
          yield bytes.subarray(at, at + pieceBytes);
        }
      }
      return {
        stream: createPullStream(pieces(), () => {}),
        from: start,
        size: sized ? bytes.length : undefined,
      };
    },
  };
  return { source, opened };
}

async function uploading(options: UploadRegistryOptions, source: UploadSource) {
  const registry = await startUploadRegistry(options);
  onTestFinished(() => registry.stop());
  const client = createUpstreamClient({
    baseUrl: new URL(registry.url),
    fetch: createHttpFetch(),
    userAgent: 'regshift/test',
    clock: systemClock,
    wallClock: systemWallClock,
    allowAnonymousTokens: true,
    background: () => undefined,
    memory: nodeMemory(),
  });
  let sent = 0;
  const upload = (signal = new AbortController().signal) =>
    uploadResumably({ client, repository, context: { credential: { kind: 'none' } } }, source, {
      codec: createNodeLayerCodec(),
      signal,
      firstPauseMs: 1,
      onBytes: (bytes) => {
        sent += bytes;
      },
    });
  return { registry, upload, sent: () => sent };
}

describe('uploadResumably', () => {
  it('sends a blob in one piece', async () => {
    const { source } = sourceOf(content);
    const { registry, upload, sent } = await uploading({}, source);
    await upload();
    expect(registry.blobs.has(digest)).toBe(true);
    expect(registry.requests).toEqual(['POST upload', 'PUT upload']);
    expect(sent()).toBe(content.length);
  });

  it('sends the rest after a break, from the byte that the registry names', async () => {
    const { source, opened } = sourceOf(content);
    const bodies = [{ cutAfter: 2_000_000 }, { cutAfter: 1_500_000 }];
    const { registry, upload, sent } = await uploading({ bodies }, source);
    await upload();
    expect(registry.blobs.has(digest)).toBe(true);
    const last = content.length - 1;
    expect(registry.requests).toEqual([
      ...['POST upload', 'PUT upload', 'GET upload'],
      ...[`PATCH upload 2000000-${last}`, 'GET upload', `PATCH upload 3500000-${last}`, 'PUT upload'],
    ]);
    expect(opened).toEqual([0, 2_000_000, 3_500_000]);
    expect(sent()).toBe(content.length);
    expect(registry.open.size).toBe(0);
  });

  it('drops the bytes that the registry has, from a source that sends no parts', async () => {
    const { source, opened } = sourceOf(content, { parts: false });
    const { registry, upload } = await uploading({ bodies: [{ cutAfter: 3_000_001 }] }, source);
    await upload();
    expect(registry.blobs.has(digest)).toBe(true);
    expect(opened).toEqual([0, 3_000_001]);
  });

  it('does not take a source that waits while the connection breaks for a short one', async () => {
    const short = content.subarray(0, 500_000);
    const { source } = sourceOf(short, { pauseMs: 20 });
    const { registry, upload } = await uploading({ bodies: [{ cutAfter: 100_000 }] }, source);
    await upload();
    expect(registry.blobs.has(digestOf(short))).toBe(true);
  });

  test.each([
    ['the registry has forgotten the upload', { cutAfter: 2_000_000, forgets: true }, true],
    ['the size is not known', { cutAfter: 2_000_000 }, false],
  ])('begins again where %s', async (_, body, sized) => {
    const { source, opened } = sourceOf(content, { sized });
    const { registry, upload } = await uploading({ bodies: [body] }, source);
    await upload();
    expect(registry.blobs.has(digest)).toBe(true);
    expect(opened).toEqual([0, 0]);
  });

  it('asks again after a failure of the registry', async () => {
    const { source } = sourceOf(content.subarray(0, 10));
    const { registry, upload } = await uploading({ bodies: [{ status: 503 }] }, source);
    await upload();
    // All bytes had arrived.
    expect(registry.requests).toEqual(['POST upload', 'PUT upload', 'GET upload', 'PUT upload']);
  });

  it('ends after five failures without progress, and cancels the upload', async () => {
    const { source } = sourceOf(content);
    const bodies = Array.from({ length: 20 }, () => ({ cutAfter: 1000, forgets: true }));
    const { registry, upload } = await uploading({ bodies }, source);
    await expect(upload()).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
    expect(registry.requests.filter((request) => request === 'PUT upload')).toHaveLength(6);
  });

  it('does not repeat a refusal, and cancels the upload', async () => {
    const { source } = sourceOf(content);
    const { registry, upload } = await uploading({ bodies: [{ status: 413 }] }, source);
    await expect(upload()).rejects.toMatchObject({ detail: { upstreamStatus: 413 } });
    expect(registry.requests).toEqual(['POST upload', 'PUT upload', 'DELETE upload']);
    expect(registry.open.size).toBe(0);
  });

  test.each([
    ['at once', []],
    ['after a break', [{ cutAfter: 2_000_000 }]],
  ])('says that the content is wrong, and stores nothing, %s', async (_, bodies) => {
    const broken = new Uint8Array([...content, 252]);
    const { source } = sourceOf(broken, { named: digest, stated: content.length });
    const { registry, upload } = await uploading({ bodies }, source);
    await expect(upload()).rejects.toThrow(
      `blob ${digest} should be ${digest} (${content.length} bytes); found ${digestOf(broken)} (${broken.length} bytes)`,
    );
    expect(registry.blobs.size).toBe(0);
    expect(registry.open.size).toBe(0);
  });

  it('ends with its signal', async () => {
    const { source } = sourceOf(content);
    const ended = new AbortController();
    const { registry, upload } = await uploading(
      { pauses: async () => ended.abort(new Error('another upload failed')) },
      source,
    );
    await expect(upload(ended.signal)).rejects.toThrow('another upload failed');
    expect(registry.blobs.size).toBe(0);
  });

  it('reads little more of the source than the registry has taken', async () => {
    let read = 0;
    let taken = 0;
    let most = 0;
    const total = 1024;
    async function* pieces() {
      for (; read < total; read += 1) {
        most = Math.max(most, read - taken / pieceBytes);
        yield new Uint8Array(pieceBytes);
      }
    }
    const zeros = digestOf(new Uint8Array(total * pieceBytes));
    const source: UploadSource = {
      digest: zeros,
      size: total * pieceBytes,
      open: async () => ({ stream: createPullStream(pieces(), () => {}), from: 0, size: total * pieceBytes }),
    };
    const { registry, upload } = await uploading(
      {
        pauses: async () => {
          taken = [...registry.open.values()].length === 0 ? taken : taken + pieceBytes;
          if (read % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        },
      },
      source,
    );
    await upload();
    expect(registry.blobs.has(zeros)).toBe(true);
    // The sockets of both ends hold a few megabytes; the whole blob has 64.
    expect(most * pieceBytes).toBeLessThan(16 * 2 ** 20);
  });
});
