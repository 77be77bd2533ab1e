import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** The account that regshift uses at upstream. */
export type Credential = StaticCredential | HelperCredential;

/** A credential that can be sent to upstream, or to its token server. */
export type StaticCredential =
  | { readonly kind: 'none' }
  /** The Authorization value of the client that made the request, as it came. */
  | { readonly kind: 'client'; readonly authorization: string }
  /** An account of regshift itself. */
  | ({ readonly kind: 'service'; readonly username: string; readonly password: string } & Bounded)
  /** An account of regshift by an identity token of `docker login`, which only a token server takes. */
  | ({ readonly kind: 'identity'; readonly token: string } & Bounded);

interface Bounded {
  /** The only origin whose token server gets the login; absent if it is for each that the registry names. */
  readonly origin?: string;
}

/** An account of regshift whose login changes: a credential helper, a cloud or a file has the newest one. */
export interface HelperCredential {
  readonly kind: 'kept';
  readonly helper: CredentialHelper;
}

/** A source of a login that changes from time to time. */
export interface CredentialHelper {
  /** Identifies the login in keys of caches; no secret. */
  readonly id: string;
  /** @throws RegistryError MISCONFIGURED where the source has no login; UPSTREAM_UNREACHABLE or UPSTREAM_TIMEOUT. */
  current(): Promise<StaticCredential>;
  /** Another login after upstream has refused one, or undefined where the source has no other one yet. */
  replace(refused: StaticCredential): Promise<StaticCredential | undefined>;
}

let key: Uint8Array | undefined;

/** One request asks for the key of its credential up to ten times. */
const keys = new WeakMap<Credential, string>();

/**
 * Identifies a credential in keys of caches: `none`, or a keyed hash, so that no cache holds a password and a dump of
 * one cannot be searched for a guessed password. It differs from process to process, so it is never part of a key that
 * replicas share. The random key is made at the first use, because Workers allow no random values at module scope.
 */
export function credentialKey(credential: Credential): string {
  if (credential.kind === 'none') return 'none';
  const known = keys.get(credential);
  if (known !== undefined) return known;
  key ??= crypto.getRandomValues(new Uint8Array(32));
  const made = bytesToHex(hmac(sha256, key, new TextEncoder().encode(identity(credential))));
  keys.set(credential, made);
  return made;
}

/** Is JSON, so that no user name can be written to look like another one with another password. */
function identity(credential: Exclude<Credential, { kind: 'none' }>): string {
  if (credential.kind === 'client') return JSON.stringify(['client', credential.authorization]);
  if (credential.kind === 'identity') return JSON.stringify(['identity', credential.token]);
  if (credential.kind === 'kept') return JSON.stringify(['kept', credential.helper.id]);
  return JSON.stringify(['service', credential.username, credential.password]);
}

/** The Basic Authorization value of a credential (RFC 7617), or undefined when it is not a login. */
export function basicAuthorization(credential: StaticCredential): string | undefined {
  if (credential.kind === 'none' || credential.kind === 'identity') return undefined;
  if (credential.kind === 'client') {
    return /^basic\s/i.test(credential.authorization) ? credential.authorization : undefined;
  }
  // UTF-8 first (RFC 7617 §2.1): btoa takes only characters below 256.
  const bytes = new TextEncoder().encode(`${credential.username}:${credential.password}`);
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}
