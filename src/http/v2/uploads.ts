import type { Handler } from 'hono';
import { isDigest, isOfUnknownAlgorithm } from '../../../converters/digest.ts';
import { parseRepositoryName, type RepositoryName } from '../../../converters/reference.ts';
import { isSealed } from '../../client-state/upload-location.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Registry } from '../../registry/registry.ts';
import type { RepositoryMapping } from '../../routing/repository-names.ts';
import { uploadsPath } from '../../upstream/api/paths.ts';
import { pullScope, pushScope } from '../../upstream/auth/scope.ts';
import { discard } from '../../upstream/body.ts';
import type { Env } from '../env.ts';
import { type ForwardTarget, forwardRequest } from '../forward.ts';
import { forwardResponse } from '../forward-response.ts';
import { contentLocation, uploadLocation } from '../location.ts';
import { inSameRoute } from '../middleware/routing.ts';
import { uploadParam } from '../params.ts';
import { upstreamQuery } from '../upstream-query.ts';

/**
 * `POST /v2/<name>/blobs/uploads/`: begins an upload, takes a blob in one piece, or mounts one.
 * @throws RegistryError.
 */
export const startUpload: Handler<Env> = (context) => {
  const { registry } = context.get('route');
  const request = context.get('request');
  const mapping = context.get('mapping');
  const sameRoute = inSameRoute(context);
  const { query, from } = mount(request.url, registry.servesAll, (name) => served(registry, sameRoute(name)));
  const path = `${uploadsPath(mapping.upstream)}${query}`;
  const scopes = [
    pushScope(mapping.upstream),
    ...(from && from !== mapping.upstream ? [pullScope(from)] : []),
  ];
  return answer(registry, request, mapping, { path, scopes });
};

/** `GET`, `PATCH`, `PUT` and `DELETE` of an upload that was begun. @throws RegistryError. */
export const continueUpload: Handler<Env> = async (context) => {
  const { registry } = context.get('route');
  const request = context.get('request');
  const mapping = context.get('mapping');
  const upload = uploadParam(context);
  const search = upstreamQuery(request.url);
  const path = `${uploadsPath(mapping.upstream)}${upload}${search}`;
  const scopes = [pushScope(mapping.upstream)];
  if (!isSealed(upload)) return answer(registry, request, mapping, { path, scopes });
  const url = withQuery(await registry.pushes.locations.open(upload, mapping.upstream), search);
  return answer(registry, request, mapping, { path, url, scopes });
};

async function answer(
  registry: Registry,
  request: ClientRequest,
  mapping: RepositoryMapping,
  onward: Pick<ForwardTarget, 'path' | 'url' | 'scopes'>,
): Promise<Response> {
  const what = `upload of a blob of ${mapping.upstream}`;
  const response = await forwardRequest(registry, request, { ...onward, repository: mapping.upstream, what });
  if (response.status === 201) {
    const digest = digestOf(response, request.url);
    if (digest === undefined) {
      await discard(response);
      throw unnamed(mapping.upstream);
    }
    return forwardResponse(request, response, {
      Location: contentLocation(request, mapping, 'blobs', digest),
    });
  }
  if (!response.headers.has('location')) return forwardResponse(request, response);
  const asked = onward.url ?? new URL(`${registry.client.id}${onward.path}`);
  const location = await uploadLocation(registry, request, mapping, response, asked).catch(async (error) => {
    await discard(response);
    throw error;
  });
  return forwardResponse(request, response, { Location: location });
}

/**
 * A mount names another repository by upstream's name. If the proxy does not serve that repository, the client
 * uploads the blob, as at a registry that cannot mount (distribution-spec 1.1, "Mounting a blob"). Without `from`, the
 * registry may mount from any repository, so also from one that the proxy does not serve.
 */
function mount(
  url: URL,
  servesAll: boolean,
  upstreamName: (name: RepositoryName) => RepositoryName | undefined,
): { readonly query: string; readonly from?: RepositoryName } {
  const { searchParams } = url;
  const asked = searchParams.get('from');
  if (asked === null && servesAll) return { query: upstreamQuery(url) };
  // Some servers divide a query at ";", too, as Go did before 1.17, and would see a mount in it.
  if (asked === null && !searchParams.has('mount'))
    return { query: upstreamQuery(url).replaceAll(';', '%3B') };
  const name = parseRepositoryName(asked ?? '');
  const from = name && upstreamName(name);
  const query = new URLSearchParams(upstreamQuery(url));
  if (from === undefined) {
    query.delete('from');
    query.delete('mount');
    return { query: query.size > 0 ? `?${query}` : '' };
  }
  query.set('from', from);
  return { query: `?${query}`, from };
}

function served({ serves }: Registry, name: RepositoryName | undefined): RepositoryName | undefined {
  return name !== undefined && serves(name) ? name : undefined;
}

/** The client's parameters follow upstream's, which stay unchanged. */
function withQuery(url: string, search: string): URL {
  return new URL(`${url}${url.includes('?') ? search.replace('?', '&') : search}`);
}

function digestOf({ headers }: Response, { searchParams }: URL): string | undefined {
  const stated = [
    headers.get('docker-content-digest'),
    searchParams.get('digest'),
    searchParams.get('mount'),
  ];
  // The registry has taken the blob, whatever algorithm it names it by.
  return stated.find((each) => each !== null && (isDigest(each) || isOfUnknownAlgorithm(each))) ?? undefined;
}

function unnamed(name: RepositoryName): RegistryError {
  return new RegistryError('UPSTREAM_ANSWER', `Upstream took a blob of ${name} and did not say which.`);
}
