import { type Digest, digestOf } from '../../converters/digest.ts';
import { utf8 } from './bytes.ts';

export interface SampleDescriptor {
  readonly mediaType: string;
  readonly size: number;
  readonly digest: Digest;
}

interface StoredManifest {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** What one repository holds, filled by the builders of the dialects. */
export interface SampleContent {
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  readonly manifests: ReadonlyMap<Digest, StoredManifest>;
  addBlob(mediaType: string, bytes: Uint8Array): SampleDescriptor;
  /** @param payload what the digest is taken of; differs from `bytes` in a signed schema 1 manifest only. */
  addManifest(mediaType: string, bytes: Uint8Array, payload?: Uint8Array): SampleDescriptor;
}

export function emptyContent(): SampleContent {
  const blobs = new Map<Digest, Uint8Array>();
  const manifests = new Map<Digest, StoredManifest>();
  return {
    blobs,
    manifests,
    addBlob(mediaType, bytes) {
      const digest = digestOf(bytes);
      blobs.set(digest, bytes);
      return { mediaType, size: bytes.length, digest };
    },
    addManifest(mediaType, bytes, payload = bytes) {
      const digest = digestOf(payload);
      manifests.set(digest, { mediaType, digest, bytes });
      return { mediaType, size: bytes.length, digest };
    },
  };
}

/** JSON with a fixed indent and no final newline, as each dialect's usual writer leaves it. */
export function json(value: unknown, indent = 0): Uint8Array {
  return utf8(JSON.stringify(value, null, indent));
}
