import { type ByteSource, openByteSource } from './byte-stream.ts';
import { corruptLayer } from './corrupt-layer.ts';
import { pulled } from './pulled.ts';

/** Offsets of bytes, both inclusive, as in a Range header (RFC 9110, section 14.1.2). */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * A part of a stream. What comes before is read and dropped, for what is unpacked has no other way to its middle;
 * what comes after is not read: the stream is cancelled as soon as the last byte of the part is there. So a
 * `verified` stream is checked by a part that has its last byte, and not by others.
 */
export function sliceStream(
  stream: ReadableStream<Uint8Array>,
  span: ByteSpan,
  what: string,
): ReadableStream<Uint8Array> {
  const source = openByteSource(stream, what);
  return pulled(within(source, span, what), source.giveUp);
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
    if (last) source.giveUp();
    if (from < to) yield bytes.subarray(from, to);
    if (last) return;
  }
  throw corruptLayer('cut-short', what, `has ${at} bytes; those from ${start} to ${end} were asked for.`);
}
