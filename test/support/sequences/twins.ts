import type { Exchange } from './call.ts';
import { headerOf } from './differences.ts';
import type { World } from './world.ts';

const headers = ['Content-Type', 'Docker-Content-Digest', 'ETag', 'Content-Range', 'Accept-Ranges'] as const;

/** Compares HEAD with GET at the proxy. */
export async function twinComplaints(
  { call, straight, through, replica }: Exchange,
  world: World,
): Promise<string[]> {
  const { kind, method } = call;
  if ((kind !== 'manifest' && kind !== 'blob') || (method !== 'GET' && method !== 'HEAD')) return [];
  const twin = await world.askProxy({ ...call, method: method === 'GET' ? 'HEAD' : 'GET' }, replica);
  const head = method === 'HEAD' ? through : twin;
  // A client asks so before a push: no HEAD of a blob starts a search (docs/caching-and-access.md).
  if (kind === 'blob' && head.status === 404 && straight.status === 404) return [];
  const compared = through.status < 300 ? [...headers, 'Content-Length'] : headers;
  const pairs = [
    ['status', through.status, twin.status],
    ...compared.map((name) => [name, headerOf(through, name), headerOf(twin, name)]),
  ] as const;
  return pairs
    .filter(([, one, other]) => one !== other)
    .map(([of, one, other]) => `${of} of ${method}: ${one}, of its twin: ${other}`);
}
