import { type Digest, digestAlgorithm } from '../../converters/digest.ts';
import { openSource, type Source } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { broken } from './corrupt-layer.ts';
import { createTally, type Tally } from './digester.ts';
import { pulled } from './pulled.ts';

export interface Expected {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * Passes bytes on and checks them on the way. When size or digest are not as expected, the stream errors and never
 * closes, and its last bytes are held back until they are known to be right: a client that was told the length (the
 * answer has Content-Length) sees that some are missing, even one that verifies no digest, like Docker 1.6.
 */
export function verified(
  stream: ReadableStream<Uint8Array>,
  expected: Expected,
  codec: Pick<LayerCodec, 'hash'>,
  what: string,
): ReadableStream<Uint8Array> {
  const source = openSource(stream, what);
  const tally = createTally(codec.hash(digestAlgorithm(expected.digest)));
  return pulled(checked(source, expected, tally, what), source.giveUp);
}

async function* checked(
  source: Source,
  expected: Expected,
  tally: Tally,
  what: string,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const bytes of source.chunks()) {
    await tally.add(bytes);
    if (tally.size > expected.size) throw mismatch(what, `more than ${expected.size} bytes`, expected);
    if (held !== undefined) yield held;
    held = bytes;
  }
  const digest = await tally.digest();
  if (tally.size !== expected.size || digest !== expected.digest) {
    throw mismatch(what, `${digest} (${tally.size} bytes)`, expected);
  }
  if (held !== undefined) yield held;
}

function mismatch(what: string, found: string, { digest, size }: Expected): Error {
  return broken('mismatch', what, `should unpack to ${digest} (${size} bytes); found ${found}.`);
}
