/**
 * Bodies of upstream that go to the client as they came, by the answer that has them. A runtime may know a shorter way
 * for them than a stream of the web; it asks here, for to look at `body` makes Node's web objects, which cost more than
 * a whole answer of bytes does.
 */
const bodies = new WeakMap<Response, ReadableStream>();

/** An answer with upstream's body, which nobody has looked into. */
export function passThrough(body: ReadableStream | null, init: ResponseInit): Response {
  const answer = new Response(body, init);
  if (body) bodies.set(answer, body);
  return answer;
}

/** @returns undefined for an answer that was made here. */
export function bodyPassedThrough(answer: Response): ReadableStream | undefined {
  return bodies.get(answer);
}
