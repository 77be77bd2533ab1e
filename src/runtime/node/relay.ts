import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { isRelayed, takeOver } from './relay-agent.ts';

/** A relay ends a connection that could have been kept: not worth it for less. */
const worthwhile = 1_048_576;

/**
 * Sends a message's body on as the body of an answer whose head is written. Where one end breaks, the other one is
 * cut, and never ended as if all had come. No more is read than the client takes.
 */
export function relay(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const length = Number(incoming.headers['content-length'] ?? Number.NaN);
  // A pipelined answer has no socket before its turn.
  const direct = length >= worthwhile && isRelayed(incoming.socket) && outgoing.socket !== null;
  if (direct) fromSocketToSocket(incoming, outgoing, length);
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
      if (left > 0) return void upstream.resume();
      outgoing.end();
      upstream.destroy();
    });
  };
  upstream.once('close', () => left > 0 && outgoing.destroy());
  outgoing.once('close', () => upstream.destroy());

  outgoing.flushHeaders();
  const parsed: Uint8Array[] = [];
  for (let bytes = incoming.read(); bytes !== null; bytes = incoming.read()) parsed.push(bytes);
  takeOver(upstream, give);
  if (parsed.length > 0) give(Buffer.concat(parsed));
  else upstream.resume();
}
