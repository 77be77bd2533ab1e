/**
 * A stream whose pieces are made as they are asked for, and at most `readAhead` bytes before (a piece more at the
 * moment when the bound is crossed).
 * @param giveUp called when the reader loses interest, maybe while `pieces` waits for something: it must end that
 *   wait, for a generator hears of the end only when it comes to a `yield`.
 */
export function pulled(
  pieces: AsyncGenerator<Uint8Array>,
  giveUp: (reason: unknown) => void,
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
        giveUp(reason);
        // Whatever still fails in there fails for no one.
        await pieces.return(undefined).catch(() => undefined);
      },
    },
    { highWaterMark: readAhead, size: (piece) => piece.byteLength },
  );
}
