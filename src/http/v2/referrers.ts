import type { Digest } from '../../../converters/digest.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Registry } from '../../registry/registry.ts';
import type { RepositoryMapping } from '../../routing/repository-names.ts';
import { requestReferrers } from '../../upstream/api/referrers.ts';
import { forwardResponse } from '../forward-response.ts';

/**
 * `GET /v2/<name>/referrers/<digest>` (distribution-spec 1.1, "Listing Referrers"), as upstream has it, with its
 * filter. A registry without it answers 404, from which clients go on to the tag that stands for it.
 * @throws RegistryError.
 */
export async function listReferrers(
  { client }: Registry,
  request: ClientRequest,
  { upstream: name, client: shown }: RepositoryMapping,
  digest: Digest,
): Promise<Response> {
  const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
  const accept = request.headers.get('accept') ?? undefined;
  const options = { query: request.url.search, accept };
  const page = await requestReferrers(client, method, name, digest, request.context, options);
  const { response, next } = page;
  const link = next === undefined ? {} : { Link: `</v2/${shown}/referrers/${digest}${next}>; rel="next"` };
  return forwardResponse(request, response, link);
}
