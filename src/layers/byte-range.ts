import { type ByteSource, openByteSource } from './byte-stream.ts';
import { corruptLayer } from './corrupt-layer.ts';
import { createPullStream } from './pull-stream.ts';

/** Offsets of the first and last byte of a range, both inclusive, as in a Range header (RFC 9110, section 14.1.2). */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Returns the bytes of one range of a stream. The bytes before the range are read and dropped, because a decompressed
 * stream cannot be entered in the middle. The stream is cancelled at the last byte of the range. A `verifyingStream`
 * is therefore verified only by a range that includes its last byte.
 */
export function sliceStream(
  stream: ReadableStream<Uint8Array>,
  span: ByteSpan,
  what: string,
): ReadableStream<Uint8Array> {
  const source = openByteSource(stream, what);
  return createPullStream(within(source, span, what), source.cancel);
}

async function* within(
  source: ByteSource,
  { start, end }: ByteSpan,
  what: string,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const bytes of source.chunks()) {
    const from = Math.max(0, start - at);
    const to = Math.min(bytes.length, end + 1 - at);
    at += bytes.length;
    const last = at > end;
    if (last) source.cancel();
    if (from < to) yield bytes.subarray(from, to);
    if (last) return;
  }
  throw corruptLayer('cut-short', what, `has ${at} bytes; those from ${start} to ${end} were asked for.`);
}
