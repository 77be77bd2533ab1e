import type { Context, Handler } from 'hono';
import { extensionPath, referrersPath } from '../../upstream/api/paths.ts';
import { type RelayedRead, relayRead } from '../../upstream/api/relayed-read.ts';
import { pickHeaders } from '../../upstream/error-response.ts';
import type { Env } from '../env.ts';
import { forwardResponse } from '../forward-response.ts';
import { unknownEndpoint } from '../middleware/error-response.ts';
import { digestParam, extensionParam } from '../params.ts';
import { linkToNext } from '../public-url.ts';
import { upstreamQuery } from '../upstream-query.ts';

/**
 * `GET /v2/<name>/referrers/<digest>` (distribution-spec 1.1, "Listing Referrers"), as upstream answers it, with its
 * filter. At 404 of a registry without this endpoint, clients continue with the referrers tag.
 * @throws RegistryError.
 */
export const getReferrers: Handler<Env> = (context) => {
  const { upstream: name, client: shown } = context.get('mapping');
  const digest = digestParam(context);
  const { url } = context.get('request');
  return relay(context, `/v2/${shown}/referrers/${digest}`, {
    path: referrersPath(name, digest, upstreamQuery(url)),
    repository: name,
    what: `referrers of ${name}`,
  });
};

/**
 * `GET /v2/<name>/_<extension>/<component>/<module>` (distribution-spec, extensions/README.md), as upstream answers it:
 * programs with oras-go 2.0.0-rc.1 to rc.3 ask for `_oras/artifacts/referrers` (its registry/remote/url.go).
 * @throws RegistryError.
 */
export const getRepositoryExtension: Handler<Env> = (context) => {
  const { upstream: name, client: shown } = context.get('mapping');
  const endpoint = extensionParam(context);
  const { url } = context.get('request');
  return relay(context, `/v2/${shown}/${endpoint}`, {
    path: extensionPath(name, endpoint, upstreamQuery(url)),
    repository: name,
    what: `extension ${endpoint} of ${name}`,
  });
};

/**
 * The same for the whole registry: `zli` asks for `_oci/ext/discover` and `_zot/ext/search` (zot, pkg/api/constants and
 * pkg/cli). Such an answer is about all repositories, so a route has it only if it serves them all.
 * @throws RegistryError.
 */
export const getRegistryExtension: Handler<Env> = (context) => {
  const { routes } = context.get('host');
  if (routes.length > 1 || !routes[0].registry.servesAll) return unknownEndpoint(context);
  const endpoint = extensionParam(context);
  const { url } = context.get('request');
  return relay(context, `/v2/${endpoint}`, {
    path: extensionPath(undefined, endpoint, upstreamQuery(url)),
    repository: undefined,
    what: `extension ${endpoint}`,
  });
};

/** @param shown the path by which the client knows the document. */
async function relay(
  context: Context<Env>,
  shown: string,
  read: Pick<RelayedRead, 'path' | 'repository' | 'what'>,
): Promise<Response> {
  const request = context.get('request');
  const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
  const accept = request.headers.get('accept') ?? undefined;
  const { client } = context.get('route').registry;
  const { response, next } = await relayRead(client, { ...read, method, accept }, request.context);
  return forwardResponse(request, response, {
    ...pickHeaders(response, versionsOfExtensions),
    ...linkToNext(request, shown, next),
  });
}

/** Headers by which clients check the version of an extension (oras-go 2.0.0-rc.1, `verifyOrasApiVersion`). */
const versionsOfExtensions = ['oras-api-version'];
