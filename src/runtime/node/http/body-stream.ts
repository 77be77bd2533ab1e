import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { concatenate } from '../../../../converters/bytes.ts';
import { StandstillError } from '../../../upstream/network-errors.ts';
import { countBuffer } from '../garbage.ts';
import { isPaused } from './relay-agent.ts';
import { watchStandstill } from './standstill.ts';

const native = new WeakMap<ReadableStream, IncomingMessage>();

/**
 * A message's body as a web stream. It reads nothing before its first pull, so that the message can still be relayed
 * as it is (`nativeBody`).
 * @param signal the reason of errors after it has aborted.
 * @param silenceMs the body breaks off after this long without a byte, or a twentieth longer at most.
 */
export function bodyOf(
  incoming: IncomingMessage,
  signal: AbortSignal | null | undefined,
  silenceMs: number,
): ReadableStream<Uint8Array> {
  let next: (() => Promise<Uint8Array | undefined>) | undefined;
  // An error before the first read goes to the first reader.
  incoming.on('error', () => undefined);
  breakSilence(incoming, silenceMs);
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        next ??= bodyChunks(incoming);
        try {
          const chunk = await next();
          if (chunk === undefined) controller.close();
          else {
            countBuffer(chunk.length);
            controller.enqueue(chunk);
          }
        } catch (error) {
          controller.error(signal?.aborted ? signal.reason : error);
        }
      },
      cancel() {
        // A body that has arrived whole leaves the connection for the next request, as most refusals do.
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
 * The chunks of a message; undefined at its end. Node's own iterator does the same and takes twice as long for a
 * short message.
 */
export function bodyChunks(incoming: IncomingMessage): () => Promise<Uint8Array | undefined> {
  let over: 'ended' | Error | undefined;
  let wake = () => {};
  const settle = (how: 'ended' | Error) => {
    over ??= how;
    wake();
  };
  const broken = () => {
    if (!over) settle(incoming.errored ?? new Error('The body broke off'));
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
      if (chunk !== null)
        return chunk.length < shortBytes && !incoming.complete ? withRest(incoming, chunk) : chunk;
      if (over === 'ended') return undefined;
      if (over) throw over;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}

/**
 * A shorter chunk may be one of ten thousand that arrived at once (`1\r\nx\r\n`). Node's parser reports each chunk of a
 * client by itself, and each would take as long as 64 KiB.
 */
const shortBytes = 1_024;

/** A short chunk with those that the parser reports in the same turn of the event loop. */
async function withRest(incoming: IncomingMessage, chunk: Uint8Array): Promise<Uint8Array> {
  await setImmediate();
  const rest = incoming.destroyed ? null : (incoming.read() as Uint8Array | null);
  return rest === null ? chunk : concatenate([chunk, rest]);
}

/**
 * A client whose connection is cut comes back for the rest; a client that waits forever does not. While the client has
 * unread bytes here, the silence is not upstream's.
 */
function breakSilence(incoming: IncomingMessage, silenceMs: number): void {
  const { socket } = incoming;
  const isExcused = () => incoming.readableLength > 0 || isPaused(socket);
  const end = () => incoming.destroy(new StandstillError(silenceMs));
  incoming.once('close', watchStandstill(socket, silenceMs, end, isExcused));
}

/** The message behind a body that has not been read yet. */
export function nativeBody(stream: ReadableStream | null | undefined): IncomingMessage | undefined {
  if (!stream || stream.locked) return undefined;
  const incoming = native.get(stream);
  return incoming?.readableFlowing === null && !incoming.readableDidRead ? incoming : undefined;
}
