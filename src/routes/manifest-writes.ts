import { type Digest, isDigest } from '../../converters/digest.ts';
import { limits } from '../../converters/limits.ts';
import type { Reference, RepositoryName } from '../../converters/reference.ts';
import type { Recipe } from '../derived/recipe.ts';
import { Failure } from '../errors.ts';
import type { Route } from '../route.ts';
import type { Named } from '../routing/names.ts';
import { readBounded } from '../upstream/body.ts';
import { deleteScope, pushScope } from '../upstream/scope.ts';
import type { ClientRequest } from './client-request.ts';
import { handBack } from './hand-back.ts';
import { contentLocation } from './location.ts';
import { passOn } from './pass-on.ts';

/** `PUT /v2/<name>/manifests/<reference>`, byte for byte. @throws Failure. */
export async function putManifest(
  route: Route,
  request: ClientRequest,
  named: Named,
  reference: Reference,
): Promise<Response> {
  const text = textOf(reference);
  const path = `/v2/${named.upstream}/manifests/${text}${request.url.search}`;
  const response = await write(route, request, named.upstream, path, pushScope(named.upstream));
  if (response.status === 201) {
    const digest = response.headers.get('docker-content-digest') ?? text;
    return handBack(request, response, { Location: contentLocation(request, named, 'manifests', digest) });
  }
  if (response.status !== 400 && response.status !== 404) return handBack(request, response);
  const body = await readBounded(response, limits.documentBytes, 'an error');
  const said = new TextDecoder().decode(body).match(/\bsha\d{3}:[0-9a-f]{64,128}\b/g) ?? [];
  await refuseDerived(route, request, named.upstream, [text, ...said]);
  return handBack(request, new Response(body as Uint8Array<ArrayBuffer>, response));
}

/** `DELETE` of a manifest or a tag. @throws Failure. */
export function deleteManifest(route: Route, request: ClientRequest, named: Named, reference: Reference) {
  return deleteContent(route, request, named, 'manifests', textOf(reference));
}

/** `DELETE` of a blob. @throws Failure. */
export function deleteBlob(route: Route, request: ClientRequest, named: Named, digest: Digest) {
  return deleteContent(route, request, named, 'blobs', digest);
}

async function deleteContent(
  route: Route,
  request: ClientRequest,
  { upstream: name }: Named,
  kind: 'manifests' | 'blobs',
  reference: string,
): Promise<Response> {
  const path = `/v2/${name}/${kind}/${reference}${request.url.search}`;
  const response = await write(route, request, name, path, deleteScope(name));
  if (response.status === 404) await refuseDerived(route, request, name, [reference]);
  return handBack(request, response);
}

function textOf(reference: Reference): string {
  return reference.kind === 'tag' ? reference.tag : reference.digest;
}

/** Even without an answer it may have been done: what is remembered is left behind either way. */
async function write(
  route: Route,
  request: ClientRequest,
  name: RepositoryName,
  path: string,
  scope: string,
): Promise<Response> {
  try {
    return await passOn(route, request, {
      path,
      repository: name,
      scopes: [scope],
      what: `${request.method} in ${name}`,
    });
  } finally {
    route.writes.note(name);
  }
}

/** More than these would be another's error message, long on purpose. */
const mostDigests = 10;

/**
 * Upstream has refused what names something that it does not have and the proxy makes: the client, which has pulled
 * it from here, could not know.
 * @throws Failure METHOD_NOT_ALLOWED, where one of the digests is such and the caller may read what it is made from.
 */
async function refuseDerived(
  route: Route,
  request: ClientRequest,
  name: RepositoryName,
  digests: readonly string[],
): Promise<void> {
  for (const digest of new Set(digests.filter(isDigest).slice(0, mostDigests))) {
    const recipe = await route.workshop.recipeOf(name, digest, request.caller);
    if (recipe && (await mayRead(route, request, name, recipe.root))) throw derived(name, digest, recipe);
  }
}

async function mayRead(route: Route, request: ClientRequest, name: RepositoryName, root: Digest) {
  const reference = { kind: 'digest', digest: root } as const;
  return route.resolver.resolve(name, reference, request.caller).then(
    () => true,
    () => false,
  );
}

function derived(name: RepositoryName, digest: Digest, recipe: Recipe): Failure {
  const source = sourceOf(recipe);
  return new Failure(
    'METHOD_NOT_ALLOWED',
    `The registry does not have ${digest}: regshift makes it from ${source} of ${name} when it is pulled. ` +
      `Work with ${source}, which is stored, or push all parts of the image under a name of their own.`,
    { headers: { Allow: 'GET, HEAD' }, detail: { digest, source } },
  );
}

function sourceOf(recipe: Recipe): Digest {
  switch (recipe.product) {
    case 'manifest':
      return recipe.source;
    case 'config':
      return recipe.manifest.source;
    case 'layer':
      return recipe.packed;
  }
}
