import { ConversionError } from '../errors.ts';
import type { WebKey } from './web-key.ts';

/** Functions of `node:crypto` that regshift uses if the runtime has them. */
export interface RuntimeCrypto {
  /** Since Node 21.7. */
  readonly hash?: (algorithm: string, content: Uint8Array | string, encoding: 'hex') => string;
  readonly sign?: (
    algorithm: string,
    bytes: Uint8Array,
    how: { readonly key: object; readonly dsaEncoding: 'ieee-p1363' },
  ) => Uint8Array;
  readonly KeyObject?: { readonly from: (key: WebKey) => object };
}

/**
 * Synchronous cryptography of the runtime, without an import: Node, Bun and Deno have it. WebCrypto is asynchronous
 * and works in another thread, which costs tens of microseconds a call.
 */
export function runtimeCrypto(): RuntimeCrypto {
  const { process } = globalThis as {
    readonly process?: { readonly getBuiltinModule?: (name: string) => RuntimeCrypto | undefined };
  };
  return process?.getBuiltinModule?.('node:crypto') ?? {};
}

/**
 * Checks that the runtime has WebCrypto, without which regshift has no signatures. Browsers have it for pages of secure
 * contexts alone (https://w3c.github.io/webcrypto/, "Crypto interface").
 * @throws ConversionError SIGNATURE on other pages.
 */
export function needWebCrypto(): void {
  if (crypto.subtle as unknown) return;
  throw new ConversionError({
    code: 'SIGNATURE',
    message: 'This page has no crypto.subtle, which keys and signatures need',
    expected: 'a page from https:// or localhost',
  });
}
