/**
 * A stream of the pieces of a generator. The generator runs when the reader needs a piece, and at most `readAhead`
 * bytes ahead of the reader (plus the rest of the piece that crosses this bound).
 * @param onCancel called when the reader cancels the stream, even while `pieces` waits for something. It must end that
 *   wait, because a generator learns of the cancellation only at a `yield`.
 */
export function createPullStream(
  pieces: AsyncGenerator<Uint8Array>,
  onCancel: (reason: unknown) => void,
  readAhead = 0,
): ReadableStream<Uint8Array> {
  let cancelled = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (cancelled) return;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel(reason) {
        cancelled = true;
        onCancel(reason);
        // The reader has left: later errors of the generator are ignored.
        await pieces.return(undefined).catch(() => undefined);
      },
    },
    { highWaterMark: readAhead, size: (piece) => piece.byteLength },
  );
}
