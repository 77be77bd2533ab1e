import type { ServerResponse } from 'node:http';

/**
 * Sends a web stream as the body of a response whose head is written. It reads no more than the client takes. If one
 * end fails, it cuts the other. @hono/node-server's own writer may write an error's message into the body and end it
 * (`handleResponseError` in its dist/index.mjs).
 * @throws the stream's error, after the response broke off.
 */
export async function writeStream(
  stream: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
): Promise<void> {
  const reader = stream.getReader();
  let wake = () => {};
  outgoing.on('drain', () => wake());
  outgoing.once('close', () => {
    wake();
    reader.cancel().catch(() => undefined);
  });
  try {
    if (outgoing.destroyed) await reader.cancel();
    else outgoing.flushHeaders();
    while (!outgoing.destroyed) {
      const { done, value } = await reader.read();
      if (outgoing.destroyed) return;
      if (done) return void outgoing.end();
      if (outgoing.write(value)) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } catch (error) {
    outgoing.destroy();
    throw error;
  }
}
