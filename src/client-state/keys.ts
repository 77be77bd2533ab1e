import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { base64url, exportJWK } from 'jose';
import type { SigningKey } from '../../converters/crypto/signing-key.ts';

/** The keys of the state that clients carry. Replicas with the same signing key and routes have the same keys. */
export interface StateKeys {
  /** Authenticates the repository of a pull, in the path of its requests. */
  readonly context: Uint8Array;
  /** Encrypts the token of a pull in `X-Docker-Token`, which only the proxy may read. */
  readonly token: Uint8Array;
  /** Encrypts the address at which upstream continues an upload, in the path of its requests. */
  readonly upload: Uint8Array;
  /** Encrypts the place at which upstream continues a list, in the query of its next page. */
  readonly list: Uint8Array;
}

/**
 * Derives the keys from the signing key (HKDF, RFC 5869), so that an operator keeps one secret. Each purpose has its
 * own info, so that state sealed for one purpose is invalid for another. Each route has its own info too: a proxy with
 * the same signing key can never send a login for one registry to another one.
 * @param route the upstream and the id of the route.
 */
export async function deriveStateKeys({ privateKey }: SigningKey, route: string): Promise<StateKeys> {
  const { d } = await exportJWK(privateKey);
  if (d === undefined) throw new TypeError('a private key has a d');
  const secret = base64url.decode(d);
  const derive = (use: string) => {
    const info = new TextEncoder().encode(`regshift ${use} 1 ${route}`);
    return hkdf(sha256, secret, undefined, info, 32);
  };
  return {
    context: derive('registry-v1 context'),
    token: derive('registry-v1 token'),
    upload: derive('upload'),
    list: derive('list'),
  };
}
