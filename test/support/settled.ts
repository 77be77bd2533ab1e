/**
 * Waits until the asynchronous work that is under way in this process has been done as far as it gets without another
 * event.
 *
 * It counts turns of the event loop, because a timer of a fixed time does not tell: where a busy machine held the
 * process for longer, the timer fires in the first turn after it, before the work that waits for a later turn.
 *
 * @param turns how many turns are waited for; each one takes a millisecond at least
 */
export async function settled(turns = 30): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}
