import type { RepositoryName } from '../../converters/reference.ts';
import type { WallClock } from '../clock.ts';
import { RegistryError } from '../errors.ts';
import type { StateKeys } from './keys.ts';
import { openSealed, seal } from './sealed.ts';

/**
 * Seals the addresses of uploads that upstream moves away from `/v2/<name>/blobs/uploads/`: to another path or another
 * origin. The client continues to talk to the proxy, which may be the only host that it can reach and that its login
 * is for. The client carries the address encrypted, so that it cannot make the proxy write to an address that upstream
 * did not name, and so that signed URLs stay secret.
 */
export interface UploadLocations {
  /** @param url as upstream wrote it. @returns a path segment. @throws RegistryError MISCONFIGURED without a key. */
  seal(url: string, repository: RepositoryName): Promise<string>;
  /** @throws RegistryError UPLOAD_UNKNOWN for a segment that was not sealed here for this repository within a day. */
  open(segment: string, repository: RepositoryName): Promise<string>;
}

const prefix = 'elsewhere.';

export function isSealed(segment: string): boolean {
  return segment.startsWith(prefix);
}

/**
 * Removes a sealed address from a path, for logs: a client that has the address may write to it.
 * @param path with escapes, which the client may also have written into the address.
 */
export function withoutSealed(path: string): string {
  const at = path.lastIndexOf('/') + 1;
  return isSealed(decoded(path.slice(at))) ? `${path.slice(0, at)}elsewhere` : path;
}

function decoded(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export function createUploadLocations(keys: () => Promise<StateKeys>, wallClock: WallClock): UploadLocations {
  return {
    async seal(url, repository) {
      return `${prefix}${await seal({ url, repository }, (await keys()).upload, wallClock())}`;
    },
    async open(segment, repository) {
      const state = await openSealed(segment.slice(prefix.length), (await keys()).upload, wallClock());
      if (state?.repository === repository && typeof state.url === 'string') return state.url;
      throw new RegistryError(
        'UPLOAD_UNKNOWN',
        'This upload was not begun here, or too long ago. Push again.',
      );
    },
  };
}
