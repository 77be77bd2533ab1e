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

/** The manifests and blobs of one repository. The builders of the formats add them. */
export interface SampleContent {
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  readonly manifests: ReadonlyMap<Digest, StoredManifest>;
  addBlob(mediaType: string, bytes: Uint8Array): SampleDescriptor;
  /** @param payload the bytes of the digest; they differ from `bytes` only for a signed schema 1 manifest. */
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

/** JSON with a fixed indent and no final newline, as the usual writer of each format produces it. */
export function json(value: unknown, indent = 0): Uint8Array {
  return utf8(JSON.stringify(value, null, indent));
}
