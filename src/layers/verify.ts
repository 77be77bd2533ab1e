import { type Digest, digestAlgorithm } from '../../converters/digest.ts';
import { type ByteSource, openByteSource } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { corruptLayer } from './corrupt-layer.ts';
import { createDigester, type Digester } from './digester.ts';
import { createPullStream } from './pull-stream.ts';

export interface ExpectedContent {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * Passes bytes on and verifies them. If size or digest are wrong, the stream errors and never closes. The last chunk
 * is held back until the digest is verified: the response has a Content-Length, so even a client that verifies no
 * digest, like Docker 1.6, sees that bytes are missing.
 */
export function verifyingStream(
  stream: ReadableStream<Uint8Array>,
  expected: ExpectedContent,
  codec: Pick<LayerCodec, 'hash'>,
  what: string,
): ReadableStream<Uint8Array> {
  const source = openByteSource(stream, what);
  const digester = createDigester(codec.hash(digestAlgorithm(expected.digest)));
  return createPullStream(checked(source, expected, digester, what), source.cancel);
}

async function* checked(
  source: ByteSource,
  expected: ExpectedContent,
  digester: Digester,
  what: string,
): AsyncGenerator<Uint8Array> {
  let lastChunk: Uint8Array | undefined;
  for await (const bytes of source.chunks()) {
    await digester.add(bytes);
    if (digester.size > expected.size) throw mismatch(what, `more than ${expected.size} bytes`, expected);
    if (lastChunk !== undefined) yield lastChunk;
    lastChunk = bytes;
  }
  const digest = await digester.digest();
  if (digester.size !== expected.size || digest !== expected.digest) {
    throw mismatch(what, `${digest} (${digester.size} bytes)`, expected);
  }
  if (lastChunk !== undefined) yield lastChunk;
}

function mismatch(what: string, found: string, { digest, size }: ExpectedContent): Error {
  return corruptLayer('mismatch', what, `should unpack to ${digest} (${size} bytes); found ${found}.`);
}
