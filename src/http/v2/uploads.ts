import { isDigest } from '../../../converters/digest.ts';
import { parseRepositoryName, type RepositoryName } from '../../../converters/reference.ts';
import { isSealed } from '../../client-state/upload-location.ts';
import { Failure } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Route } from '../../registry/registry.ts';
import type { Named } from '../../routing/repository-names.ts';
import { pullScope, pushScope } from '../../upstream/auth/scope.ts';
import { discard } from '../../upstream/body.ts';
import { type Onward, passOn } from '../forward.ts';
import { handBack } from '../forward-response.ts';
import { contentLocation, uploadLocation } from '../location.ts';

/**
 * `POST /v2/<name>/blobs/uploads/`: begins an upload, takes a blob in one piece, or mounts one.
 * @param sameRoute what upstream calls what a client calls so; undefined for what another route is for.
 * @throws Failure.
 */
export async function startUpload(
  route: Route,
  request: ClientRequest,
  named: Named,
  sameRoute: (name: RepositoryName) => RepositoryName | undefined,
): Promise<Response> {
  const { query, from } = mount(request.url, (name) => served(route, sameRoute(name)));
  const path = `/v2/${named.upstream}/blobs/uploads/${query}`;
  const scopes = [pushScope(named.upstream), ...(from && from !== named.upstream ? [pullScope(from)] : [])];
  return answer(route, request, named, { path, scopes });
}

/** `GET`, `PATCH`, `PUT` and `DELETE` of an upload that was begun. @throws Failure. */
export async function continueUpload(
  route: Route,
  request: ClientRequest,
  named: Named,
  upload: string,
): Promise<Response> {
  const { search } = request.url;
  const path = `/v2/${named.upstream}/blobs/uploads/${upload}${search}`;
  const scopes = [pushScope(named.upstream)];
  if (!isSealed(upload)) return answer(route, request, named, { path, scopes });
  const url = withQuery(await route.elsewhere.open(upload, named.upstream), search);
  return answer(route, request, named, { path, url, scopes });
}

async function answer(
  route: Route,
  request: ClientRequest,
  named: Named,
  onward: Pick<Onward, 'path' | 'url' | 'scopes'>,
): Promise<Response> {
  const what = `upload of a blob of ${named.upstream}`;
  const response = await passOn(route, request, { ...onward, repository: named.upstream, what });
  if (response.status === 201) {
    const digest = digestOf(response, request.url);
    if (digest === undefined) {
      await discard(response);
      throw unnamed(named.upstream);
    }
    return handBack(request, response, { Location: contentLocation(request, named, 'blobs', digest) });
  }
  if (!response.headers.has('location')) return handBack(request, response);
  const asked = onward.url ?? new URL(`${route.client.id}${onward.path}`);
  const location = await uploadLocation(route, request, named, response, asked).catch(async (error) => {
    await discard(response);
    throw error;
  });
  return handBack(request, response, { Location: location });
}

/**
 * A mount asks upstream for a repository by the name that upstream knows. What is not served here is not mounted
 * from: the blob is then uploaded, as where a registry cannot mount (distribution-spec 1.1, "Mounting a blob").
 */
function mount(
  { search, searchParams }: URL,
  upstreamName: (name: RepositoryName) => RepositoryName | undefined,
): { readonly query: string; readonly from?: RepositoryName } {
  const asked = searchParams.get('from');
  if (asked === null) return { query: search };
  const name = parseRepositoryName(asked);
  const from = name && upstreamName(name);
  const query = new URLSearchParams(searchParams);
  if (from === undefined) {
    query.delete('from');
    query.delete('mount');
    return { query: query.size > 0 ? `?${query}` : '' };
  }
  query.set('from', from);
  return { query: `?${query}`, from };
}

function served({ serves }: Route, name: RepositoryName | undefined): RepositoryName | undefined {
  return name !== undefined && serves(name) ? name : undefined;
}

/** What the client adds comes after what upstream has written, which stays as it is. */
function withQuery(url: string, search: string): URL {
  return new URL(`${url}${url.includes('?') ? search.replace('?', '&') : search}`);
}

function digestOf({ headers }: Response, { searchParams }: URL): string | undefined {
  const stated = [
    headers.get('docker-content-digest'),
    searchParams.get('digest'),
    searchParams.get('mount'),
  ];
  return stated.find(isDigest);
}

function unnamed(name: RepositoryName): Failure {
  return new Failure('UPSTREAM_ANSWER', `Upstream took a blob of ${name} and did not say which.`);
}
