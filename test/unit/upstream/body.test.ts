import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { discard, readBounded } from '../../../src/upstream/body.ts';
import { startServer } from './local-server.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function streamed(chunks: readonly string[], headers: Record<string, string> = {}) {
  const cancelled = vi.fn();
  const queue = [...chunks];
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = queue.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(chunk));
      },
      cancel: cancelled,
    },
    { highWaterMark: 0 },
  );
  return { response: new Response(body, { headers }), cancelled };
}

describe('readBounded', () => {
  it.each<[string, string[], Record<string, string>]>([
    ['chunks', ['ab', 'c', ''], {}],
    ['exactly as much as the limit and Content-Length', ['abc'], { 'content-length': '3' }],
    ['identity', ['abc'], { 'content-encoding': 'Identity' }],
    ['what S3 uploaded in chunks', ['abc'], { 'content-encoding': 'aws-chunked' }],
    ['no encoding by other names', ['abc'], { 'content-encoding': 'none, Binary,identity' }],
    ['a Content-Length that is no number', ['abc'], { 'content-length': '3, 3' }],
  ])('reads %s', async (_, chunks, headers) => {
    expect(text(await readBounded(streamed(chunks, headers).response, 3, 'the manifest'))).toBe('abc');
  });

  it('reads no body as no bytes', async () => {
    expect(await readBounded(new Response(null), 3, 'the manifest')).toHaveLength(0);
  });

  it.each<[string, string[], Record<string, string>]>([
    ['a body without end', Array(1000).fill('ab'), {}],
    ['a body that says it is larger', ['a'], { 'content-length': '4' }],
  ])('refuses and cancels %s', async (_, chunks, headers) => {
    const { response, cancelled } = streamed(chunks, headers);
    await expect(readBounded(response, 3, 'the manifest')).rejects.toMatchObject({
      code: 'UPSTREAM_CONTENT',
      message: expect.stringMatching(/the manifest.*3 bytes/),
    });
    expect(cancelled).toHaveBeenCalledOnce();
  });

  it.each(['2', '4'])('refuses 3 bytes where %s were announced', async (length) => {
    const { response } = streamed(['abc'], { 'content-length': length });
    await expect(readBounded(response, 9, 'it')).rejects.toMatchObject({ code: 'UPSTREAM_ANSWER' });
  });

  it('refuses an encoding on the wire, which fetch would undo in silence', async () => {
    const { url } = await startServer((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('abc'));
    });
    await expect(readBounded(await fetch(url), 9, 'it')).rejects.toMatchObject({
      code: 'UPSTREAM_ANSWER',
      message: expect.stringContaining('"gzip"'),
    });
  });

  it('refuses an encoding beside one that encodes nothing', async () => {
    const { response } = streamed(['abc'], { 'content-encoding': 'aws-chunked, gzip' });
    await expect(readBounded(response, 9, 'it')).rejects.toMatchObject({ code: 'UPSTREAM_ANSWER' });
  });

  it('says when a connection broke off', async () => {
    const { url } = await startServer((_, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('abc', () => response.destroy());
    });
    await expect(readBounded(await fetch(url), 99, 'the config')).rejects.toMatchObject({
      code: 'UPSTREAM_ANSWER',
      message: expect.stringContaining('the config'),
    });
  });

  it("leaves the caller's abort as it is", async () => {
    const { url } = await startServer((_, response) => response.writeHead(200).write('abc'));
    const aborter = new AbortController();
    const reading = readBounded(await fetch(url, { signal: aborter.signal }), 99, 'it');
    aborter.abort();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('discard', () => {
  it('cancels', async () => {
    const { response, cancelled } = streamed(['a']);
    await discard(response);
    expect(cancelled).toHaveBeenCalledOnce();
  });

  it.each([
    ['no body', () => new Response(null)],
    [
      'a locked body',
      () => {
        const { response } = streamed(['a']);
        response.body?.getReader();
        return response;
      },
    ],
    [
      'a cancel that fails',
      () => new Response(new ReadableStream({ cancel: () => Promise.reject(new Error('no')) })),
    ],
  ])('bears %s', async (_, make) => {
    await expect(discard(make())).resolves.toBeUndefined();
  });
});
