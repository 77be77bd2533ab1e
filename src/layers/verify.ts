import { type Digest, digestAlgorithm } from '../../converters/digest.ts';
import { type ByteSource, openByteSource } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { corruptLayer } from './corrupt-layer.ts';
import { createDigester, type Digester } from './digester.ts';
import { createPullStream } from './pull-stream.ts';
import type { Fill } from './store/fill.ts';

export interface ExpectedContent {
  readonly digest: Digest;
  /** Bytes; absent for content without a known length. */
  readonly size?: number | undefined;
}

/** How bytes are verified, and what happens to them. */
export interface Verification {
  readonly codec: Pick<LayerCodec, 'hash'>;
  /** The name of the bytes in messages. */
  readonly what: string;
  /** The relation of the blob to the bytes, in messages. */
  readonly relation?: 'should unpack to' | 'should be';
  /** Gets the bytes, too, and stores them if they are right. */
  readonly fill?: Fill | undefined;
  /** Called before the stream errors, with what was found. */
  readonly onMismatch?: (found: string) => void;
  /** Called before the last chunk. */
  readonly onMatch?: () => void;
}

/**
 * Passes bytes on and verifies them. If size or digest are wrong, the stream errors and never closes. The last chunk
 * is held back until the digest is verified, so the client sees that bytes are missing: of the Content-Length, or the
 * last chunk of a body without a length. A client that verifies no digest, like Docker 1.6, sees that too.
 */
export function verifyingStream(
  stream: ReadableStream<Uint8Array>,
  expected: ExpectedContent,
  { codec, what, relation = 'should unpack to', fill, onMismatch, onMatch }: Verification,
): ReadableStream<Uint8Array> {
  const source = openByteSource(stream, what);
  const digester = fill ?? createDigester(codec.hash(digestAlgorithm(expected.digest)));
  const { digest, size = 'any number of' } = expected;
  const mismatch = (found: string) => {
    onMismatch?.(found);
    return corruptLayer('mismatch', what, `${relation} ${digest} (${size} bytes); found ${found}.`);
  };
  const verified = async (size: number) => {
    onMatch?.();
    await fill?.commit({ digest, size });
  };
  const cancel = (reason: unknown) => {
    source.cancel(reason);
    fill?.abort();
  };
  const pieces = checked(source, expected, digester, { mismatch, verified });
  return createPullStream(fill ? abortingOnError(pieces, fill) : pieces, cancel);
}

async function* abortingOnError(pieces: AsyncGenerator<Uint8Array>, fill: Fill): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } finally {
    // After the commit this does nothing.
    fill.abort();
  }
}

interface Outcomes {
  readonly mismatch: (found: string) => Error;
  readonly verified: (size: number) => Promise<void>;
}

async function* checked(
  source: ByteSource,
  expected: ExpectedContent,
  digester: Digester,
  { mismatch, verified }: Outcomes,
): AsyncGenerator<Uint8Array> {
  const { digest: expectedDigest, size = Number.POSITIVE_INFINITY } = expected;
  let lastChunk: Uint8Array | undefined;
  for await (const bytes of source.chunks()) {
    await digester.add(bytes);
    if (digester.size > size) throw mismatch(`more than ${size} bytes`);
    if (lastChunk !== undefined) yield lastChunk;
    lastChunk = bytes;
  }
  const digest = await digester.digest();
  const isShort = Number.isFinite(size) && digester.size !== size;
  if (isShort || digest !== expectedDigest) throw mismatch(`${digest} (${digester.size} bytes)`);
  await verified(digester.size);
  if (lastChunk !== undefined) yield lastChunk;
}
