import { EncryptJWT, errors, jwtDecrypt } from 'jose';
import type { RepositoryName } from '../../converters/reference.ts';
import { RegistryError } from '../errors.ts';
import type { StateKeys } from './keys.ts';

/**
 * Uploads that upstream wants to have at another address than `/v2/<name>/blobs/uploads/`: on a path of its own, or
 * on another origin. The client keeps talking to the proxy, which may be all that it can reach, and which a login of
 * its is meant for: the address goes with it, encrypted, so that nobody makes the proxy write where upstream has not
 * said, and no signed URL lies open.
 */
export interface UploadLocations {
  /** @param url as upstream wrote it. @returns a segment of a path. @throws RegistryError MISCONFIGURED without a key. */
  seal(url: string, repository: RepositoryName): Promise<string>;
  /** @throws RegistryError UPLOAD_UNKNOWN for what was not sealed here, for this repository, within a day. */
  open(segment: string, repository: RepositoryName): Promise<string>;
}

const prefix = 'elsewhere.';
/** An upload over a slow line takes hours. */
const lifeSeconds = 24 * 60 * 60;
const algorithms = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] };

export function isSealed(segment: string): boolean {
  return segment.startsWith(prefix);
}

/** For logs: whoever has a sealed address may write there, as far as the proxy lets him in. */
export function withoutSealed(path: string): string {
  return path.replace(/\/elsewhere\.[^/]*$/, '/elsewhere');
}

/** @param clock milliseconds since the epoch. */
export function createUploadLocations(keys: () => Promise<StateKeys>, clock: () => number): UploadLocations {
  return {
    async seal(url, repository) {
      const issued = Math.floor(clock() / 1000);
      const sealed = await new EncryptJWT({ url, repository })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setExpirationTime(issued + lifeSeconds)
        .encrypt((await keys()).upload);
      return `${prefix}${sealed}`;
    },
    async open(segment, repository) {
      try {
        const rules = { ...algorithms, currentDate: new Date(clock()), requiredClaims: ['exp'] };
        const { payload } = await jwtDecrypt(segment.slice(prefix.length), (await keys()).upload, rules);
        if (payload.repository === repository && typeof payload.url === 'string') return payload.url;
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
      throw new RegistryError(
        'UPLOAD_UNKNOWN',
        'This upload was not begun here, or too long ago. Push again.',
      );
    },
  };
}
