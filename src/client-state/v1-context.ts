import { errors, jwtVerify, SignJWT } from 'jose';
import { parseRepositoryName, parseTag, type RepositoryName, type Tag } from '../../converters/reference.ts';

/**
 * What the URLs of API v1 do not say: `/v1/images/<id>/…` names no repository. A client that is told an endpoint
 * with a path puts that path before each of its later requests (all daemons from 1.3.3 to 17.05 do).
 */
export interface V1Context {
  /** As upstream calls it. */
  readonly repository: RepositoryName;
  /** The tag that the client wants, where it has said so before (Docker 1.4 and 1.5, by API v2). */
  readonly tag: Tag | undefined;
}

/**
 * Signed and not encrypted: it holds nothing that its client does not know, and no right. About 150 bytes.
 * @param route whose key it is.
 */
export async function sealContext(
  { repository, tag }: V1Context,
  key: Uint8Array,
  route: string,
): Promise<string> {
  const facts = { repository, ...(tag ? { tag } : {}) };
  return new SignJWT(facts).setProtectedHeader({ alg: 'HS256', kid: route }).sign(key);
}

/** @returns undefined for what was not sealed with this key. */
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
