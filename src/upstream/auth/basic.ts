/** A user name and a password, as typed at `docker login`. */
export interface BasicLogin {
  readonly username: string;
  readonly password: string;
}

/**
 * Parses an Authorization value of the Basic scheme (RFC 7617); undefined for any other value, and for a login of
 * neither name nor password: podman and skopeo send that after a Basic challenge if they have no login
 * (containers/image, docker/docker_client.go, `setupRequestAuth`).
 */
export function basicLogin(authorization: string | null): BasicLogin | undefined {
  const encoded = /^basic +(\S+)\s*$/i.exec(authorization ?? '')?.[1];
  const login = encoded === undefined ? undefined : decodeLogin(encoded);
  return login?.username === '' && login.password === '' ? undefined : login;
}

/**
 * The secret in an Authorization value: a Bearer token, or the password of a Basic login with any user name. Undefined
 * for any other value.
 */
export function bearerOrPassword(authorization: string | null): string | undefined {
  const [, bearer] = /^bearer +(\S+)\s*$/i.exec(authorization ?? '') ?? [];
  return bearer ?? basicLogin(authorization)?.password;
}

/** Decodes the base64 of `user:password`; the password may contain colons. Undefined for any other text. */
export function decodeLogin(encoded: string): BasicLogin | undefined {
  let binary: string;
  try {
    binary = atob(encoded);
  } catch {
    return undefined;
  }
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  // UTF-8 (RFC 7617 §2.1), which all engines send. An invalid byte becomes U+FFFD, which matches no password.
  const text = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(bytes);
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
