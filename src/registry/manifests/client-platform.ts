import type { Platform } from '../../../converters/platform.ts';
import type { ClientRequest } from '../client-request.ts';
import type { Registry } from '../registry.ts';
import type { SearchHints } from './recipe-search.ts';

/** The client's platform where its User-Agent tells; a route of the same architecture may know the variant too. */
export function platformFor(registry: Registry, request: ClientRequest): Platform {
  const said = request.client.platform;
  if (!said) return registry.platform;
  const same = said.os === registry.platform.os && said.architecture === registry.platform.architecture;
  return same ? registry.platform : said;
}

/** Who takes anything, takes zstd. */
export function needsDecompression({ capabilities }: ClientRequest): boolean {
  return !capabilities.zstd && !capabilities.wildcard;
}

export function hintsFor(registry: Registry, request: ClientRequest): SearchHints {
  return { platform: platformFor(registry, request), decompressZstd: needsDecompression(request) };
}
