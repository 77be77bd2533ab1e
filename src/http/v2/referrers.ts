import type { Handler } from 'hono';
import { requestReferrers } from '../../upstream/api/referrers.ts';
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
  const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
  const accept = request.headers.get('accept') ?? undefined;
  const options = { query: request.url.search, accept };
  const { response, next } = await requestReferrers(client, method, name, digest, request.context, options);
  const link = next === undefined ? {} : { Link: `</v2/${shown}/referrers/${digest}${next}>; rel="next"` };
  return forwardResponse(request, response, link);
};
