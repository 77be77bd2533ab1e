/**
 * Streamed bodies by their response. A runtime that has a faster way for upstream's body than a web stream asks here:
 * reading `response.body` makes Node create web streams, which cost more than a whole response of bytes.
 */
const bodies = new WeakMap<Response, ReadableStream>();

/** A response with a stream: upstream's body, or a layer that is decompressed while it is sent. */
export function responseWithUpstreamBody(body: ReadableStream | null, init: ResponseInit): Response {
  const answer = new Response(body, init);
  if (body) bodies.set(answer, body);
  return answer;
}

/** @returns undefined for a response whose body is in memory. */
export function upstreamBodyOf(answer: Response): ReadableStream | undefined {
  return bodies.get(answer);
}
