import { type Digest, isDigest } from '../../../converters/digest.ts';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';
import { Failure } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Recipe } from '../../registry/manifests/recipe.ts';
import { withBody } from '../../registry/push/manifest-bodies.ts';
import { mayRead } from '../../registry/push/upload-missing.ts';
import type { Route } from '../../registry/registry.ts';
import type { Named } from '../../routing/repository-names.ts';
import { deleteScope, pushScope } from '../../upstream/auth/scope.ts';
import { passOn } from '../forward.ts';
import { handBack } from '../forward-response.ts';
import { contentLocation } from '../location.ts';
import { missingContentOf } from './missing-content.ts';
import { isRefusal, readRefusal } from './push-refusal.ts';

/**
 * `PUT /v2/<name>/manifests/<reference>`, byte for byte. Before it, the proxy uploads content that the manifest names,
 * that the registry lacks and that regshift makes.
 * @throws Failure.
 */
export async function putManifest(
  route: Route,
  request: ClientRequest,
  named: Named,
  reference: Reference,
): Promise<Response> {
  const body = await route.manifestBodies.read(request);
  try {
    return await putBody(route, request, named, textOf(reference), body?.bytes);
  } finally {
    body?.release();
  }
}

/** @param bytes undefined for a request that is passed on as it comes. */
async function putBody(
  route: Route,
  request: ClientRequest,
  named: Named,
  text: string,
  bytes: Uint8Array | undefined,
): Promise<Response> {
  const { upstream: name } = named;
  const path = `/v2/${name}/manifests/${text}${request.url.search}`;
  const put = () => write(route, withBody(request, bytes), name, path, pushScope(name));
  const missing = missingContentOf(route, request, name, bytes);
  await missing.uploadKnown();
  let response = await put();
  if (isRefusal(response)) {
    const refusal = await readRefusal(response);
    if (!(await missing.uploadRefused(refusal.digests))) {
      await refuseDerived(route, request, name, [text, ...refusal.digests]);
      return handBack(request, new Response(refusal.body, response));
    }
    response = await put();
  }
  if (response.status !== 201) return handBack(request, response);
  const digest = response.headers.get('docker-content-digest') ?? text;
  return handBack(request, response, { Location: contentLocation(request, named, 'manifests', digest) });
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
    if (recipe && (await mayRead(route, { repository: name, caller: request.caller }, recipe.root)))
      throw derived(name, digest, recipe);
  }
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
