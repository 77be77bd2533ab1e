import type { Digest } from '../../../converters/digest.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import type { UpstreamClient } from '../client.ts';
import type { ApiContext } from '../request-context.ts';
import { referrersPath } from './paths.ts';

/**
 * `HEAD` or `GET` of the referrers of a manifest (distribution-spec 1.1, "Listing Referrers").
 * @param query with its question mark; "" for none.
 * @returns the response with any status: 404 from a registry without this API. @throws RegistryError.
 */
export async function requestReferrers(
  client: UpstreamClient,
  method: 'HEAD' | 'GET',
  repository: RepositoryName,
  digest: Digest,
  { credential, budget, signal }: ApiContext,
  { query, accept }: { readonly query: string; readonly accept: string | undefined },
): Promise<Response> {
  const { response } = await client.request({
    method,
    path: referrersPath(repository, digest, query),
    repository,
    credential,
    budget,
    headers: accept === undefined ? {} : { accept },
    signal,
  });
  return response;
}
