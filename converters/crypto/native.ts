import type { CryptoKey } from 'jose';

/** What of `node:crypto` is used where it is there. */
export interface RuntimeCrypto {
  /** Since Node 21.7. */
  readonly hash?: (algorithm: string, bytes: Uint8Array, encoding: 'hex') => string;
  readonly sign?: (
    algorithm: string,
    bytes: Uint8Array,
    how: { readonly key: object; readonly dsaEncoding: 'ieee-p1363' },
  ) => Uint8Array;
  readonly KeyObject?: { readonly from: (key: CryptoKey) => object };
}

/**
 * Means of the runtime that answer at once: Node, Bun and Deno hand them out without an import. WebCrypto's are
 * asynchronous, by way of another thread, which costs tens of microseconds a call.
 */
export function runtimeCrypto(): RuntimeCrypto {
  const { process } = globalThis as {
    readonly process?: { readonly getBuiltinModule?: (name: string) => RuntimeCrypto | undefined };
  };
  return process?.getBuiltinModule?.('node:crypto') ?? {};
}
