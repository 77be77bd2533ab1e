import type { Platform } from '../../../converters/platform.ts';
import { lacksZstd } from '../../negotiation/capabilities.ts';
import type { ClientRequest } from '../client-request.ts';
import type { SearchHints } from './recipe-candidates.ts';

/** Settings of a registry, as far as they tell the platform of a client. */
export interface PlatformSettings {
  /** The platform of clients that cannot choose one and do not name one. */
  readonly platform: Platform;
}

/** The platform in the client's User-Agent; a route's platform of the same architecture has its variant, too. */
export function platformFor({ platform }: PlatformSettings, request: ClientRequest): Platform {
  const ruled = request.applied?.rule?.platform;
  if (ruled) return ruled;
  const named = request.client.platform;
  if (!named) return platform;
  const isSame = named.os === platform.os && named.architecture === platform.architecture;
  return isSame ? platform : named;
}

/** Whether zstd layers are decompressed for this client. */
export function needsDecompression({ capabilities }: ClientRequest): boolean {
  return lacksZstd(capabilities);
}

export function hintsFor(settings: PlatformSettings, request: ClientRequest): SearchHints {
  return { platform: platformFor(settings, request), decompressZstd: needsDecompression(request) };
}
