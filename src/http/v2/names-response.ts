import type { ClientRequest } from '../../registry/client-request.ts';
import { streamedResponse } from '../responses.ts';

type Batches = AsyncIterable<readonly string[]> | Iterable<readonly string[]>;

/**
 * A response with a list of names, which is written while it is read.
 * @param opening the JSON before the first name, like `{"repositories":[`.
 */
export function namesResponse(
  { method }: ClientRequest,
  opening: string,
  names: Batches,
  headers: Record<string, string>,
): Promise<Response> {
  const own = { 'Content-Type': 'application/json', ...headers };
  return streamedResponse(namesJson(opening, names), own, method === 'HEAD');
}

/** The document, in parts. */
async function* namesJson(opening: string, names: Batches): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let before = opening;
  for await (const some of names) {
    if (some.length === 0) continue;
    yield encoder.encode(before + JSON.stringify(some).slice(1, -1));
    before = ',';
  }
  yield encoder.encode(before === ',' ? ']}' : `${before}]}`);
}
