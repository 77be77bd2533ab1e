import type { IncomingMessage } from 'node:http';
import { isPaused } from './relay-agent.ts';

const native = new WeakMap<ReadableStream, IncomingMessage>();

/**
 * A message's body as a stream of the web. Nothing is read before it is asked for, so that the message can still be
 * handed on as it is (`nativeBody`).
 * @param signal what breaks after it has aborted is told as its reason.
 * @param silenceMs after so long without a byte, twice as long at most, the body breaks off.
 */
export function bodyOf(
  incoming: IncomingMessage,
  signal: AbortSignal | null | undefined,
  silenceMs: number,
): ReadableStream<Uint8Array> {
  let next: (() => Promise<Uint8Array | undefined>) | undefined;
  // What breaks before anyone reads is told to whoever does.
  incoming.on('error', () => undefined);
  breakSilence(incoming, silenceMs);
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        next ??= chunksOf(incoming);
        try {
          const chunk = await next();
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
        } catch (error) {
          controller.error(signal?.aborted ? signal.reason : error);
        }
      },
      cancel() {
        // What has come as a whole leaves the connection good for the next request, as a refusal mostly does.
        if (incoming.complete && next === undefined) incoming.resume();
        else incoming.destroy();
      },
    },
    { highWaterMark: 0 },
  );
  native.set(body, incoming);
  return body;
}

/**
 * What a message brings, piece by piece; undefined at its end. Node's own iterator does the same, and takes as long
 * again for a short one.
 */
function chunksOf(incoming: IncomingMessage): () => Promise<Uint8Array | undefined> {
  let over: 'ended' | Error | undefined;
  let wake = () => {};
  const settle = (how: 'ended' | Error) => {
    over ??= how;
    wake();
  };
  const broken = () => {
    if (!over) settle(incoming.errored ?? new Error('The answer broke off'));
  };
  if (incoming.readableEnded) over = 'ended';
  else if (incoming.destroyed) broken();
  incoming.on('readable', () => wake());
  incoming.once('end', () => settle('ended'));
  incoming.once('error', settle);
  incoming.once('close', broken);
  return async () => {
    for (;;) {
      const chunk = incoming.destroyed ? null : (incoming.read() as Uint8Array | null);
      if (chunk !== null) return chunk;
      if (over === 'ended') return undefined;
      if (over) throw over;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}

/**
 * Nobody can tell a registry that has died from one that is slow but by waiting: a client that gets its connection cut
 * comes back for the rest, one that waits for ever does not. Where bytes lie here that a client has not
 * taken yet, the silence is not upstream's.
 */
function breakSilence(incoming: IncomingMessage, silenceMs: number): void {
  const { socket } = incoming;
  let heard = -1;
  const timer = setInterval(() => {
    const waits = incoming.readableLength > 0 || isPaused(socket);
    if (socket.bytesRead === heard && !waits) incoming.destroy(stoodStill());
    heard = socket.bytesRead;
  }, silenceMs).unref();
  incoming.once('close', () => clearInterval(timer));
}

function stoodStill(): Error {
  return Object.assign(new Error('The answer stood still'), { code: 'ETIMEDOUT' });
}

/** The message behind a body, as long as nobody has begun to read it. */
export function nativeBody(stream: ReadableStream | null | undefined): IncomingMessage | undefined {
  if (!stream || stream.locked) return undefined;
  const incoming = native.get(stream);
  return incoming?.readableFlowing === null && !incoming.readableDidRead ? incoming : undefined;
}
