/**
 * Bodies that are streams, by the answer that has them. A runtime may know a shorter way for upstream's body than a
 * stream of the web; it asks here, for to look at `body` makes Node's web objects, which cost more than a whole answer
 * of bytes does.
 */
const bodies = new WeakMap<Response, ReadableStream>();

/** An answer with a stream: upstream's body as it came, or a layer that is decompressed on its way. */
export function responseWithUpstreamBody(body: ReadableStream | null, init: ResponseInit): Response {
  const answer = new Response(body, init);
  if (body) bodies.set(answer, body);
  return answer;
}

/** @returns undefined for an answer whose body is at hand. */
export function upstreamBodyOf(answer: Response): ReadableStream | undefined {
  return bodies.get(answer);
}
