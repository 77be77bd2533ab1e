import { type Digest, digestAlgorithm } from '../../converters/digest.ts';
import { type ByteSource, openByteSource } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { corruptLayer } from './corrupt-layer.ts';
import { createDigester, type Digester } from './digester.ts';
import { pulled } from './pulled.ts';

export interface ExpectedContent {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * Passes bytes on and checks them on the way. When size or digest are not as expected, the stream errors and never
 * closes, and its last bytes are held back until they are known to be right: a client that was told the length (the
 * answer has Content-Length) sees that some are missing, even one that verifies no digest, like Docker 1.6.
 */
export function verifyingStream(
  stream: ReadableStream<Uint8Array>,
  expected: ExpectedContent,
  codec: Pick<LayerCodec, 'hash'>,
  what: string,
): ReadableStream<Uint8Array> {
  const source = openByteSource(stream, what);
  const digester = createDigester(codec.hash(digestAlgorithm(expected.digest)));
  return pulled(checked(source, expected, digester, what), source.giveUp);
}

async function* checked(
  source: ByteSource,
  expected: ExpectedContent,
  digester: Digester,
  what: string,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const bytes of source.chunks()) {
    await digester.add(bytes);
    if (digester.size > expected.size) throw mismatch(what, `more than ${expected.size} bytes`, expected);
    if (held !== undefined) yield held;
    held = bytes;
  }
  const digest = await digester.digest();
  if (digester.size !== expected.size || digest !== expected.digest) {
    throw mismatch(what, `${digest} (${digester.size} bytes)`, expected);
  }
  if (held !== undefined) yield held;
}

function mismatch(what: string, found: string, { digest, size }: ExpectedContent): Error {
  return corruptLayer('mismatch', what, `should unpack to ${digest} (${size} bytes); found ${found}.`);
}
