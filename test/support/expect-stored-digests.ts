import { expect } from 'vitest';
import { emptyLayer } from '../../converters/formats/schema1/empty-layer.ts';
import { digestReceived, type Kept, requestFor, type StoredEntries } from './stored-entries.ts';

/**
 * Requests every derived digest from this version, which has a part of the entries, and checks that the bytes are
 * right, that upstream is not searched, and that this version sends no more upstream requests than the one that wrote
 * the entries.
 * @param requests is where the upstream registry writes down each request (`requestText`).
 */
export async function expectStoredDigests(
  { digests }: StoredEntries,
  kept: Kept,
  ask: (path: string, headers: Record<string, string>) => Promise<Response>,
  requests: string[],
): Promise<void> {
  const read = new Set<string>();
  /** Version 0.1 shared the facts of a layer among registries. Since then it is read again, once. */
  const isReadAgain = (request: string) => {
    const isFirst = /^GET \S+\/blobs\/\S+$/.test(request) && !read.has(request);
    read.add(request);
    return isFirst;
  };
  for (const each of digests) {
    const { path, headers } = requestFor(each);
    requests.length = 0;
    const response = await ask(path, headers);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect({ path, status: response.status }).toEqual({ path, status: 200 });
    expect(await digestReceived(each, bytes)).toBe(each.digest);
    expect(searchesAmong(requests)).toEqual([]);
    // Version 0.1 served the empty layer to everyone; since then a HEAD proves the right to it. It also used the facts of
    // a layer for each repository; since then the first byte of the layer proves that the repository has it.
    const most = each.requests[kept] + (each.digest === emptyLayer.digest ? 1 : 0);
    const others = requests.filter((request) => !request.endsWith(' bytes=0-0') && !isReadAgain(request));
    expect({ path, more: others.slice(most) }).toEqual({ path, more: [] });
  }
}

/** Upstream requests that belong to a search: the catalog, lists of tags, and manifests by tag. */
function searchesAmong(requests: readonly string[]): string[] {
  return requests.filter((request) => /\/_catalog|\/tags\/list|\/manifests\/(?!sha256:)/.test(request));
}
