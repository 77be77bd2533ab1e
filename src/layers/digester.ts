import type { Digest } from '../../converters/digest.ts';
import type { StreamHash } from './codec.ts';

/** Counts and hashes bytes. */
export interface Digester {
  readonly size: number;
  /** The caller awaits the result before the next call. */
  add(bytes: Uint8Array): Promise<void> | void;
  /** Called once, at the end. */
  digest(): Promise<Digest>;
}

export function createDigester(hash: StreamHash): Digester {
  let size = 0;
  return {
    get size() {
      return size;
    },
    add(bytes) {
      size += bytes.length;
      return hash.update(bytes);
    },
    digest: () => hash.digest(),
  };
}
