import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { base64url, exportJWK } from 'jose';
import type { SigningKey } from '../../converters/crypto/signing-key.ts';

/** What seals the claims of API v1 and the addresses of uploads. Every replica with the same signing key and routes has the same ones. */
export interface StateKeys {
  /** Authenticates the repository of a pull, in the path of its requests. */
  readonly context: Uint8Array;
  /** Encrypts what only the proxy may read, in `X-Docker-Token`. */
  readonly token: Uint8Array;
  /** Encrypts where upstream wants an upload to go on, in the path of its requests. */
  readonly upload: Uint8Array;
}

/**
 * Derives the keys (HKDF, RFC 5869), so that an operator has one secret to keep. Each use has an info of its own:
 * what is sealed for one opens nothing of another. So has each route: a login for one registry can then never be
 * sent to another one by a proxy that has the same signing key (design, rule 8).
 * @param route its upstream and its id.
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
  };
}
