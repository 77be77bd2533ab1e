import type { Digest } from '../../../converters/digest.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { refuseEncoded } from '../body.ts';
import type { UpstreamClient } from '../client.ts';
import { errorFromResponse } from '../error-response.ts';
import type { ApiContext } from '../request-context.ts';
import { nextQuery } from './link.ts';
import { referrersPath } from './paths.ts';

export interface ReferrersPage {
  /** Any status but 401: a registry without this API answers 404. */
  readonly response: Response;
  /** The query of the next page; undefined after the last one. */
  readonly next: string | undefined;
}

/**
 * `HEAD` or `GET` of the referrers of a manifest (distribution-spec 1.1, "Listing Referrers").
 * @param query with its question mark; "" for none.
 * @throws RegistryError UNAUTHORIZED with upstream's challenge; as `refuseEncoded`.
 */
export async function requestReferrers(
  client: UpstreamClient,
  method: 'HEAD' | 'GET',
  repository: RepositoryName,
  digest: Digest,
  { credential, budget, signal }: ApiContext,
  { query, accept }: { readonly query: string; readonly accept: string | undefined },
): Promise<ReferrersPage> {
  const path = referrersPath(repository, digest, query);
  const headers = accept === undefined ? {} : { accept };
  const request = { method, path, repository, credential, budget, headers, signal };
  const { response } = await client.request(request);
  if (response.status === 401) {
    throw await errorFromResponse(response, `referrers of ${repository}`, 'NAME_UNKNOWN');
  }
  if (response.ok) await refuseEncoded(response, `the referrers of ${repository}`);
  return { response, next: nextQuery(response.headers.get('link')) };
}
