import type { Digest } from '../../../converters/digest.ts';
import { digestAlgorithm } from '../../../converters/digest.ts';
import { openByteSource, streamFromSource } from '../../layers/byte-stream.ts';
import type { LayerCodec } from '../../layers/codec.ts';
import { corruptLayer } from '../../layers/corrupt-layer.ts';
import { createDigester } from '../../layers/digester.ts';
import { createPullStream } from '../../layers/pull-stream.ts';
import { fetchBlob } from '../../upstream/api/blobs.ts';
import { contentLength } from '../../upstream/body.ts';
import { streamFile } from '../images/file-store.ts';
import type { OpenImage } from '../images/open-image.ts';
import { errorOf } from './error-side.ts';
import type { NamedDigest } from './named-content.ts';

/** The content of a blob, which can be read again from any byte. */
export interface UploadSource {
  readonly digest: Digest;
  /** Bytes of the content as a manifest states them; undefined where none does. */
  readonly size: number | undefined;
  /** Opens the content at an offset, or before it where the source sends no parts. @throws RegistryError. */
  open(from: number, signal: AbortSignal): Promise<OpenedContent>;
}

export interface OpenedContent {
  readonly stream: ReadableStream<Uint8Array>;
  /** The offset of the first byte of `stream`. */
  readonly from: number;
  /** Bytes of the whole content; undefined where they are not known. */
  readonly size: number | undefined;
}

/** A blob of the source registry, which is read with `Range` and survives broken connections (`fetchBlob`). */
export function storedContent(
  { registry, name, plain: { context } }: OpenImage,
  { digest, size: stated }: NamedDigest,
): UploadSource {
  let size = stated;
  return {
    digest,
    size: stated,
    async open(from, signal) {
      const range = from > 0 ? { range: { first: from } } : {};
      const got = fetchBlob(registry.client, name, digest, { ...context, signal }, range);
      const blob = await got.catch((error: unknown) => {
        throw errorOf('source', error);
      });
      // Manifests may state a wrong size, which no client checks. The length of a part is not that of the blob.
      if (blob.from === 0 && from === 0) size = contentLength(blob) ?? size;
      return { stream: blob.body, from: blob.from, size };
    },
  };
}

/** A verified file. */
export function fileContent(digest: Digest, path: string, size: number): UploadSource {
  return { digest, size, open: async (from) => ({ stream: streamFile(path, { start: from }), from, size }) };
}

export function bytesContent(digest: Digest, bytes: Uint8Array): UploadSource {
  const size = bytes.length;
  return { digest, size, open: async () => ({ stream: streamFromSource(bytes), from: 0, size }) };
}

/** Verifies content whose parts may be read more than once after broken connections. */
export interface ContentCheck {
  /**
   * @param at the offset of the first byte of the result; earlier bytes are dropped.
   * @returns the stream, which errors before its last chunk if the content is wrong.
   */
  pass(opened: OpenedContent, at: number): ReadableStream<Uint8Array>;
  /** Bytes of the content; undefined where they are not known. */
  readonly size: number | undefined;
  /** The error of the last stream: a request whose body fails does not give its reason. */
  readonly error: unknown;
}

/** @param onBytes called with the number of bytes that pass for the first time. */
export function createContentCheck(
  { digest, size: stated }: Pick<UploadSource, 'digest' | 'size'>,
  codec: Pick<LayerCodec, 'hash'>,
  onBytes: (bytes: number) => void,
): ContentCheck {
  const what = `blob ${digest}`;
  const digester = createDigester(codec.hash(digestAlgorithm(digest)));
  let isVerified = false;
  let size: number | undefined;
  let error: unknown;

  async function hash(bytes: Uint8Array, at: number): Promise<void> {
    const fresh = bytes.subarray(Math.max(0, digester.size - at));
    if (fresh.length === 0) return;
    await digester.add(fresh);
    onBytes(fresh.length);
  }

  async function verify(): Promise<void> {
    if (isVerified) return;
    const found = await digester.digest();
    isVerified = found === digest;
    if (isVerified) return;
    const expected = stated === undefined ? digest : `${digest} (${stated} bytes)`;
    throw corruptLayer('mismatch', what, `should be ${expected}; found ${found} (${digester.size} bytes).`);
  }

  async function* checked(
    chunks: AsyncGenerator<Uint8Array>,
    from: number,
    start: number,
    isCancelled: () => boolean,
  ): AsyncGenerator<Uint8Array> {
    let at = from;
    let last: Uint8Array | undefined;
    for await (const bytes of chunks) {
      await hash(bytes, at);
      if (last !== undefined) yield last;
      const kept = bytes.subarray(Math.max(0, start - at));
      last = kept.length > 0 ? kept : undefined;
      at += bytes.length;
    }
    // A cancelled source looks like one that has ended.
    if (isCancelled()) return;
    await verify();
    if (last !== undefined) yield last;
  }

  async function* remembered(
    chunks: AsyncGenerator<Uint8Array>,
    isCancelled: () => boolean,
  ): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks;
    } catch (reason) {
      if (!isCancelled()) error = errorOf('source', reason);
      throw reason;
    }
  }

  return {
    pass(opened, at) {
      error = undefined;
      size = opened.size;
      let cancelled = false;
      const isCancelled = () => cancelled;
      const source = openByteSource(opened.stream, what);
      const chunks = checked(source.chunks(), opened.from, at, isCancelled);
      return createPullStream(remembered(chunks, isCancelled), (reason) => {
        cancelled = true;
        source.cancel(reason);
      });
    },
    get size() {
      return size;
    },
    get error() {
      return error;
    },
  };
}
