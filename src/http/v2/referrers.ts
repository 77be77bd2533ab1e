import type { Handler } from 'hono';
import { nextQuery } from '../../upstream/api/tags.ts';
import { errorFromResponse } from '../../upstream/error-response.ts';
import type { Env } from '../env.ts';
import { forwardResponse } from '../forward-response.ts';
import { digestParam } from '../params.ts';

/**
 * `GET /v2/<name>/referrers/<digest>` (distribution-spec 1.1, "Listing Referrers"), as upstream answers it, with its
 * filter. At 404 of a registry without this endpoint, clients continue with the referrers tag.
 * @throws RegistryError.
 */
export const getReferrers: Handler<Env> = async (context) => {
  const { client } = context.get('route').registry;
  const request = context.get('request');
  const { upstream: name, client: shown } = context.get('mapping');
  const digest = digestParam(context);
  const { signal, credential, budget } = request.context;
  const accept = request.headers.get('accept');
  const { response } = await client.request({
    method: request.method === 'HEAD' ? 'HEAD' : 'GET',
    path: `/v2/${name}/referrers/${digest}${request.url.search}`,
    repository: name,
    credential,
    budget,
    headers: accept === null ? {} : { accept },
    signal,
  });
  if (response.status === 401)
    throw await errorFromResponse(response, `referrers of ${name}`, 'NAME_UNKNOWN');
  const next = nextQuery(response.headers.get('link'));
  const link = next === undefined ? {} : { Link: `</v2/${shown}/referrers/${digest}${next}>; rel="next"` };
  return forwardResponse(request, response, link);
};
