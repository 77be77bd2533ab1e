import type { Context, Handler } from 'hono';
import { type Digest, isDigest } from '../../../converters/digest.ts';
import { limits } from '../../../converters/limits.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { httpErrors, RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Recipe } from '../../registry/manifests/recipe.ts';
import { withBody } from '../../registry/push/manifest-bodies.ts';
import type { Registry } from '../../registry/registry.ts';
import type { RepositoryMapping } from '../../routing/repository-names.ts';
import { blobPath, manifestPath, referenceText } from '../../upstream/api/paths.ts';
import { deleteScope, pushScope } from '../../upstream/auth/scope.ts';
import { readBounded } from '../../upstream/body.ts';
import type { Env } from '../env.ts';
import { forwardRequest } from '../forward.ts';
import { forwardResponse } from '../forward-response.ts';
import { contentLocation } from '../location.ts';
import { digestParam, referenceParam } from '../params.ts';
import { missingContentOf } from './missing-content.ts';

/**
 * `PUT /v2/<name>/manifests/<reference>`, byte for byte. Before it, the proxy uploads content that the manifest names,
 * that the registry lacks and that regshift makes.
 * @throws RegistryError.
 */
export const putManifest: Handler<Env> = async (context) => {
  const { registry } = context.get('route');
  const request = context.get('request');
  const reference = referenceText(referenceParam(context));
  const body = await registry.pushes.bodies.read(request);
  try {
    return await putBody(registry, request, context.get('mapping'), reference, body?.bytes);
  } finally {
    body?.release();
  }
};

/** @param bytes undefined for a request whose body is forwarded as a stream. */
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
  const missing = await missingContentOf(registry, request, name, bytes);
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
export const deleteManifest: Handler<Env> = (context) =>
  deleteContent(context, manifestPath, referenceText(referenceParam(context)));

/** `DELETE` of a blob. @throws RegistryError. */
export const deleteBlob: Handler<Env> = (context) => deleteContent(context, blobPath, digestParam(context));

async function deleteContent(
  context: Context<Env>,
  pathOf: typeof manifestPath,
  reference: string,
): Promise<Response> {
  const { registry } = context.get('route');
  const request = context.get('request');
  const { upstream: name } = context.get('mapping');
  const path = `${pathOf(name, reference)}${request.url.search}`;
  const response = await write(registry, request, name, path, deleteScope(name));
  if (response.status === 404) await refuseDerived(registry, request, name, [reference]);
  return forwardResponse(request, response);
}

/**
 * A write may have happened even if its response is lost, so cached answers about the repository end either way. A
 * refusal ends none: it changes nothing, and a client without any right can cause one.
 */
async function write(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  path: string,
  scope: string,
): Promise<Response> {
  let refused = false;
  try {
    const response = await forwardRequest(registry, request, {
      path,
      repository: name,
      scopes: [scope],
      what: `${request.method} in ${name}`,
    });
    refused = isClientError(response.status);
    return response;
  } catch (error) {
    refused = error instanceof RegistryError && isClientError(httpErrors[error.code].status);
    throw error;
  } finally {
    if (!refused) registry.pushes.recordWrite(name);
  }
}

function isClientError(status: number): boolean {
  return status >= 400 && status < 500;
}

/** Maximum number of digests read from a refusal. A longer list would be an error message made long on purpose. */
const mostDigests = 10;

/**
 * Upstream has refused a manifest that names derived content, or a request for it. The client pulled that content
 * through the proxy and cannot know.
 * @throws RegistryError METHOD_NOT_ALLOWED if one of the digests is derived and the client may read its source.
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

/** A registry's refusal of a manifest. */
interface PushRefusal {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Digests in its text: registries name the content that they lack. */
  readonly digests: readonly Digest[];
}

function isRefusal({ status }: Response): boolean {
  return status === 400 || status === 404;
}

/** @throws RegistryError as `readBounded`. */
async function readRefusal(response: Response): Promise<PushRefusal> {
  const body = await readBounded(response, limits.documentBytes, 'an error');
  const said: readonly string[] =
    new TextDecoder().decode(body).match(/\bsha\d{3}:[0-9a-f]{64,128}\b/g) ?? [];
  return { body: body as Uint8Array<ArrayBuffer>, digests: said.filter(isDigest) };
}
