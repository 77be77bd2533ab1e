import type { Digest } from '../../converters/digest.ts';
import type { StreamHash } from './codec.ts';

/** Counts and hashes what goes by. */
export interface Digester {
  readonly size: number;
  /** To be awaited before the next. */
  add(bytes: Uint8Array): Promise<void> | void;
  /** To be called once, at the end. */
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
