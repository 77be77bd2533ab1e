import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { attachReader, isRelayed, readMore } from './relay-agent.ts';

/** A relay uses up a connection that could be kept; smaller bodies are not worth that. */
const worthwhile = 1_048_576;

/**
 * Relays a message's body as the body of a response whose head is written. It bypasses Hono and web streams: with a
 * parser and streams between, each byte costs more than twice as much CPU. If one end fails, the other is cut, and
 * never ended as if the body were whole (`ProxyResponse`). It reads no more than the client takes.
 * @param announced the length in the head. A body without one is sent in chunks, which take more bytes.
 */
export function relay(incoming: IncomingMessage, outgoing: ServerResponse, announced: string | null): void {
  const length = Number(announced ?? Number.NaN);
  const whole = length >= worthwhile && announced === incoming.headers['content-length'];
  // A pipelined response has no socket before its turn.
  const direct = whole && isRelayed(incoming.socket) && outgoing.socket !== null;
  // A message that has ended already emits no event.
  if (outgoing.destroyed) incoming.destroy();
  else if (incoming.destroyed) outgoing.destroy();
  else if (direct) fromSocketToSocket(incoming, outgoing, length);
  else pipeline(incoming, outgoing, () => undefined);
}

/** From here on, bytes go past the parser. */
function fromSocketToSocket(incoming: IncomingMessage, outgoing: ServerResponse, length: number): void {
  const upstream = incoming.socket;
  const client = outgoing.socket;
  let left = length;
  const give = (bytes: Uint8Array) => {
    const part = bytes.length > left ? bytes.subarray(0, left) : bytes;
    left -= part.length;
    client?.write(part, (error) => {
      if (error) return;
      if (left > 0) return readMore(upstream);
      outgoing.end();
      upstream.destroy();
    });
  };
  upstream.once('close', () => left > 0 && outgoing.destroy());
  outgoing.once('close', () => upstream.destroy());

  outgoing.flushHeaders();
  const parsed: Uint8Array[] = [];
  for (let bytes = incoming.read(); bytes !== null; bytes = incoming.read()) parsed.push(bytes);
  attachReader(upstream, give);
  if (parsed.length > 0) give(Buffer.concat(parsed));
  else readMore(upstream);
}
