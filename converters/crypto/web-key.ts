// The types of this file are those of jose, written out: programs that import the package have no jose to read them from.

/** A key of the runtime's Web Crypto, or the members of one where the compiler has no types of Web Crypto. */
export type WebKey = typeof globalThis extends {
  crypto: { subtle: { generateKey(...parameters: never[]): Promise<infer Generated> } };
}
  ? Extract<Generated, { type: string }>
  : {
      readonly algorithm: { readonly name: string };
      readonly extractable: boolean;
      readonly type: string;
      readonly usages: string[];
    };

/** The members of a JWK that belong to a public key of EC or RSA (RFC 7518 §6.2.1 and §6.3.1). */
export interface PublicJwk {
  readonly kty?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
}
