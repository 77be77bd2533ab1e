import { type Digest, isDigest } from '../../../converters/digest.ts';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Recipe } from '../../registry/manifests/recipe.ts';
import { withBody } from '../../registry/push/manifest-bodies.ts';
import type { Registry } from '../../registry/registry.ts';
import type { RepositoryMapping } from '../../routing/repository-names.ts';
import { blobPath, manifestPath, referenceText } from '../../upstream/api/paths.ts';
import { deleteScope, pushScope } from '../../upstream/auth/scope.ts';
import { forwardRequest } from '../forward.ts';
import { forwardResponse } from '../forward-response.ts';
import { contentLocation } from '../location.ts';
import { missingContentOf } from './missing-content.ts';
import { isRefusal, readRefusal } from './push-refusal.ts';

/**
 * `PUT /v2/<name>/manifests/<reference>`, byte for byte. Before it, the proxy uploads content that the manifest names,
 * that the registry lacks and that regshift makes.
 * @throws RegistryError.
 */
export async function putManifest(
  registry: Registry,
  request: ClientRequest,
  mapping: RepositoryMapping,
  reference: Reference,
): Promise<Response> {
  const body = await registry.pushes.bodies.read(request);
  try {
    return await putBody(registry, request, mapping, referenceText(reference), body?.bytes);
  } finally {
    body?.release();
  }
}

/** @param bytes undefined for a request that is passed on as it comes. */
async function putBody(
  registry: Registry,
  request: ClientRequest,
  mapping: RepositoryMapping,
  text: string,
  bytes: Uint8Array | undefined,
): Promise<Response> {
  const { upstream: name } = mapping;
  const path = `${manifestPath(name, text)}${request.url.search}`;
  const put = () => write(registry, withBody(request, bytes), name, path, pushScope(name));
  const missing = missingContentOf(registry, request, name, bytes);
  await missing.uploadKnown();
  let response = await put();
  if (isRefusal(response)) {
    const refusal = await readRefusal(response);
    if (!(await missing.uploadRefused(refusal.digests))) {
      await refuseDerived(registry, request, name, [text, ...refusal.digests]);
      return forwardResponse(request, new Response(refusal.body, response));
    }
    response = await put();
  }
  if (response.status !== 201) return forwardResponse(request, response);
  const digest = response.headers.get('docker-content-digest') ?? text;
  return forwardResponse(request, response, {
    Location: contentLocation(request, mapping, 'manifests', digest),
  });
}

/** `DELETE` of a manifest or a tag. @throws RegistryError. */
export function deleteManifest(
  registry: Registry,
  request: ClientRequest,
  mapping: RepositoryMapping,
  reference: Reference,
) {
  return deleteContent(registry, request, mapping, manifestPath, referenceText(reference));
}

/** `DELETE` of a blob. @throws RegistryError. */
export function deleteBlob(
  registry: Registry,
  request: ClientRequest,
  mapping: RepositoryMapping,
  digest: Digest,
) {
  return deleteContent(registry, request, mapping, blobPath, digest);
}

async function deleteContent(
  registry: Registry,
  request: ClientRequest,
  { upstream: name }: RepositoryMapping,
  pathOf: typeof manifestPath,
  reference: string,
): Promise<Response> {
  const path = `${pathOf(name, reference)}${request.url.search}`;
  const response = await write(registry, request, name, path, deleteScope(name));
  if (response.status === 404) await refuseDerived(registry, request, name, [reference]);
  return forwardResponse(request, response);
}

/** Even without an answer it may have been done: what is remembered is left behind either way. */
async function write(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  path: string,
  scope: string,
): Promise<Response> {
  try {
    return await forwardRequest(registry, request, {
      path,
      repository: name,
      scopes: [scope],
      what: `${request.method} in ${name}`,
    });
  } finally {
    registry.pushes.recordWrite(name);
  }
}

/** More than these would be another's error message, long on purpose. */
const mostDigests = 10;

/**
 * Upstream has refused what names something that it does not have and the proxy makes: the client, which has pulled
 * it from here, could not know.
 * @throws RegistryError METHOD_NOT_ALLOWED, where one of the digests is such and the caller may read what it is made from.
 */
async function refuseDerived(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  digests: readonly string[],
): Promise<void> {
  for (const digest of new Set(digests.filter(isDigest).slice(0, mostDigests))) {
    const recipe = await registry.recipes.recipeOf(name, digest, request.context);
    if (
      recipe &&
      (await registry.pushes.mayRead({ repository: name, context: request.context }, recipe.root))
    )
      throw derived(name, digest, recipe);
  }
}

function derived(name: RepositoryName, digest: Digest, recipe: Recipe): RegistryError {
  const source = sourceOf(recipe);
  return new RegistryError(
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
