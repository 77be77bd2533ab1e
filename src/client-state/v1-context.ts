import { errors, jwtVerify, SignJWT } from 'jose';
import { parseRepositoryName, parseTag, type RepositoryName, type Tag } from '../../converters/reference.ts';

/**
 * The facts about a pull that the URLs of API v1 do not have: `/v1/images/<id>/…` names no repository. The proxy names
 * an endpoint with a path, and the client puts that path before each later request (all daemons from 1.3.3 to 17.05).
 */
export interface V1Context {
  /** The repository by its upstream name. */
  readonly repository: RepositoryName;
  /** The tag that the client wants, if it has named one before (Docker 1.4 and 1.5, by API v2). */
  readonly tag: Tag | undefined;
}

/**
 * Signs a context. It is not encrypted: it contains only what its client knows, and grants no access. The result has
 * about 150 bytes.
 * @param route the id of the route that the key belongs to.
 */
export async function sealContext(
  { repository, tag }: V1Context,
  key: Uint8Array,
  route: string,
): Promise<string> {
  const facts = { repository, ...(tag ? { tag } : {}) };
  return new SignJWT(facts).setProtectedHeader({ alg: 'HS256', kid: route }).sign(key);
}

/** @returns undefined for text that was not sealed with this key. */
export async function openContext(sealed: string, key: Uint8Array): Promise<V1Context | undefined> {
  try {
    const { payload } = await jwtVerify(sealed, key, { algorithms: ['HS256'] });
    const repository = parseRepositoryName(String(payload.repository));
    return repository && { repository, tag: parseTag(String(payload.tag ?? '')) };
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}
