import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { attachReader, isRelayed, readMore } from './relay-agent.ts';

/** A relay ends a connection that could have been kept: not worth it for less. */
const worthwhile = 1_048_576;

/**
 * Sends a message's body on as the body of an answer whose head is written. Where one end breaks, the other one is
 * cut, and never ended as if all had come (`ProxyResponse`). No more is read than the client takes.
 * @param announced the length in the head: a body without one is sent in chunks, which take more than its bytes.
 */
export function relay(incoming: IncomingMessage, outgoing: ServerResponse, announced: string | null): void {
  const length = Number(announced ?? Number.NaN);
  const whole = length >= worthwhile && announced === incoming.headers['content-length'];
  // A pipelined answer has no socket before its turn.
  const direct = whole && isRelayed(incoming.socket) && outgoing.socket !== null;
  // What has ended before tells of it no more.
  if (outgoing.destroyed) incoming.destroy();
  else if (incoming.destroyed) outgoing.destroy();
  else if (direct) fromSocketToSocket(incoming, outgoing, length);
  else pipeline(incoming, outgoing, () => undefined);
}

/** Without parser and streams between: with them, a byte costs more than twice as much CPU. */
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
