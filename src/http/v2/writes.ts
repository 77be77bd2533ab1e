import type { Context, Handler } from 'hono';
import { type Digest, isDigest } from '../../../converters/digest.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { httpErrors, ignoring, isDecided, RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Recipe } from '../../registry/manifests/recipe.ts';
import type { Registry } from '../../registry/registry.ts';
import { findBlob } from '../../upstream/api/blobs.ts';
import { blobPath, manifestPath, referenceText } from '../../upstream/api/paths.ts';
import { deleteScope } from '../../upstream/auth/scope.ts';
import { discard } from '../../upstream/body.ts';
import type { Env } from '../env.ts';
import { forwardRequest } from '../forward.ts';
import { forwardResponse } from '../forward-response.ts';
import { digestParam, referenceParam } from '../params.ts';
import { upstreamQuery } from '../upstream-query.ts';

/**
 * `DELETE` of a manifest or a tag. The digest that a client pushed may be stored in another form: then that manifest is
 * deleted, too, and after it the blob that keeps the pushed one, which may be a manifest as well. docker-registry up to
 * 2.8 takes a blob of the repository for a manifest (distribution 2.8, registry/storage/registry.go, `Manifests`), so
 * that the other form must be looked for first. Registries that serve each manifest as a blob, too, as zot and Gitea do
 * (zot, pkg/storage/imagestore; Gitea, routers/api/packages/container/manifest.go), have two manifests where both were
 * pushed: only the named one goes there.
 * @throws RegistryError.
 */
export const deleteManifest: Handler<Env> = async (context) => {
  const reference = referenceParam(context);
  const text = referenceText(reference);
  const { registry } = context.get('route');
  const { upstream: name } = context.get('mapping');
  const request = context.get('request');
  const kept =
    reference.kind === 'digest'
      ? await registry.pushes.findKept(name, reference.digest, request.context).catch(toRepeat)
      : undefined;
  const asBlob =
    kept &&
    (await findBlob(registry.client, name, kept.stored.digest, request.context).catch(ignoring(isDecided)));
  const named = await deleteContent(context, manifestPath, text);
  // A registry that has the pushed one as a blob alone answers so. Any other refusal is the answer.
  const isBlob = [400, 404, 405].includes(named.status);
  if (kept === undefined || !(named.ok || isBlob) || (named.ok && asBlob))
    return respond(context, named, text);
  await discard(named);
  const response = await deleteContent(context, manifestPath, kept.stored.digest);
  if (response.ok) await discard(await deleteContent(context, blobPath, kept.digest));
  return respond(context, response, text);
};

/**
 * A 404 would tell a program that cleans up that the image is gone.
 * @returns undefined for an image with a layer that regshift cannot read: such an image is stored as it was pushed.
 */
function toRepeat(error: unknown): undefined {
  if (!(error instanceof RegistryError)) throw error;
  if (error.code === 'UPSTREAM_CONTENT') return undefined;
  if (error.code !== 'UNSUPPORTED') throw error;
  const { cause, headers } = error;
  const message =
    'regshift still reads the layers of this image, to find the form that is stored. Delete it again later.';
  throw new RegistryError('OVERLOADED', message, { cause, headers });
}

/** `DELETE` of a blob. @throws RegistryError. */
export const deleteBlob: Handler<Env> = async (context) => {
  const digest = digestParam(context);
  return respond(context, await deleteContent(context, blobPath, digest), digest);
};

function deleteContent(
  context: Context<Env>,
  pathOf: typeof manifestPath,
  reference: string,
): Promise<Response> {
  const { registry } = context.get('route');
  const request = context.get('request');
  const { upstream: name } = context.get('mapping');
  const path = `${pathOf(name, reference)}${upstreamQuery(request.url)}`;
  return write(registry, request, name, path, deleteScope(name));
}

/** Forwards the response to a deletion. @throws RegistryError as `refuseDerived`. */
async function respond(context: Context<Env>, response: Response, reference: string): Promise<Response> {
  const { registry } = context.get('route');
  const request = context.get('request');
  const { upstream: name } = context.get('mapping');
  if (response.status === 404) await refuseDerived(registry, request, name, [reference]);
  return forwardResponse(request, response);
}

/** The statuses of writes (distribution-spec 1.1, "Endpoints"). A gateway's page has 200. */
const written = [201, 202, 204];

/**
 * A write may have happened even if its response is lost or a 5xx, so what is fresh about the repository ends either way.
 * A refusal ends nothing: it changes nothing, and a client without any right can cause one.
 */
export async function write(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  path: string,
  scope: string,
): Promise<Response> {
  const { recordWrite, recordDoubt } = registry.pushes;
  try {
    const response = await forwardRequest(registry, request, {
      path,
      repository: name,
      scopes: [scope],
      what: `${request.method} in ${name}`,
    });
    if (written.includes(response.status)) recordWrite(name);
    else if (response.status < 400 || response.status >= 500) recordDoubt(name);
    return response;
  } catch (error) {
    const isRefused = error instanceof RegistryError && httpErrors[error.code].status < 500;
    if (!isRefused) recordDoubt(name);
    throw error;
  }
}

/** Maximum number of digests read from a refusal. A longer list would be an error message made long on purpose. */
const mostDigests = 10;

/**
 * Upstream has refused a manifest that names derived content, or a request for it. The client pulled that content
 * through the proxy and cannot know.
 * @throws RegistryError METHOD_NOT_ALLOWED if one of the digests is derived and the client may read its source.
 */
export async function refuseDerived(
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
