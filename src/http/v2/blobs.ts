import type { Handler } from 'hono';
import type { Digest } from '../../../converters/digest.ts';
import { emptyLayer } from '../../../converters/formats/schema1/empty-layer.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { hasCode, ignoring, RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { hintsFor } from '../../registry/manifests/client-platform.ts';
import type { Recipe } from '../../registry/manifests/recipe.ts';
import type { Registry } from '../../registry/registry.ts';
import { resolveRoot } from '../../registry/resolve-root.ts';
import { blobError, findBlob, headBlob, requestBlob } from '../../upstream/api/blobs.ts';
import { discard, refuseEncoded } from '../../upstream/body.ts';
import { isRefused, noticesOf, pickHeaders } from '../../upstream/error-response.ts';
import { isRedirect } from '../../upstream/redirect.ts';
import { cacheControl } from '../cache-control.ts';
import type { Env } from '../env.ts';
import { digestParam } from '../params.ts';
import { apiVersion } from '../responses.ts';
import { responseWithUpstreamBody } from '../upstream-body.ts';
import { blobResponse, blobStreamResponse } from './blob-bytes.ts';
import {
  asksForPart,
  derivedBlobHeaders,
  partHeaders,
  storedBlobHeaders,
  wholeRequest,
} from './blob-head.ts';
import { type AnswerStored, fromStore } from './kept-blobs.ts';

/** `GET` and `HEAD /v2/<name>/blobs/<digest>`. @throws RegistryError. */
export const getBlob: Handler<Env> = (context) => {
  const { registry } = context.get('route');
  const { upstream } = context.get('mapping');
  return getBlobResponse(registry, context.get('request'), upstream, digestParam(context));
};

/**
 * The response to a request for a blob of one registry.
 * @param answerStored by default, the bytes of upstream are for a client that verifies them, if the client does.
 * @throws RegistryError.
 */
export async function getBlobResponse(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  digest: Digest,
  answerStored: AnswerStored = request.client.profile.verifiesBlobs ? forwardStored : verifyStored(),
): Promise<Response> {
  // Schema 1 names the empty layer for every entry without content. Upstream need not have it.
  if (digest === emptyLayer.digest) {
    const access = await registry.blobs.proveEmptyLayer(name, request.context);
    return blobResponse(request, digest, emptyLayer.bytes, access.public);
  }
  const head = request.method === 'HEAD';
  const recipe = registry.recipes.cachedRecipe(name, digest);
  if (recipe && head) await askStored(registry, request, name, digest);
  let failure: unknown;
  const noteFailure = (error: unknown) => {
    if (isRefused(error) || request.context.signal?.aborted) throw error;
    failure = error;
    return undefined;
  };
  // Where a recipe fails, a blob of the same digest that upstream stores is served.
  const made = recipe && (await answerMade(registry, request, name, digest, recipe).catch(noteFailure));
  if (made) return made;
  try {
    return await answerStored(registry, request, name, digest);
  } catch (error) {
    if (!(error instanceof RegistryError) || (head && isRefused(error))) throw error;
    if (failure !== undefined) sourceIsGone(failure);
    return answerUnknown(registry, request, name, digest, error);
  }
}

/**
 * A client that pushes decides by HEAD which blobs it uploads. So upstream is asked for this very blob with the client's
 * login, and its refusal passes on; 404 leaves the decision to the right to the image that the blob is made from.
 * @throws RegistryError UNAUTHORIZED, DENIED.
 */
async function askStored(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  digest: Digest,
): Promise<void> {
  try {
    await findBlob(registry.client, name, digest, request.context);
  } catch (error) {
    if (!(error instanceof RegistryError) || isRefused(error)) throw error;
  }
}

/**
 * A blob that upstream does not have may be one that another replica derived. Most blobs are upstream's, so upstream
 * is asked before remote caches: on Workers each KV read takes time and costs money.
 */
async function answerUnknown(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  digest: Digest,
  refusal: RegistryError,
): Promise<Response> {
  const recipe = await registry.recipes.recipeOf(name, digest, request.context);
  const made = recipe && (await answerMade(registry, request, name, digest, recipe).catch(sourceIsGone));
  if (made) return made;
  if (refusal.code !== 'BLOB_UNKNOWN' || isOfPush(request)) throw refusal;
  const mayBePush = request.method === 'HEAD';
  const hints = { ...hintsFor(registry, request), deadRoot: recipe?.root, mayBePush };
  const found = await registry.recipes.find(name, digest, hints, request.context).catch((error) => {
    // A broken tag of the repository must not stop the push of another one.
    if (!mayBePush || !(error instanceof RegistryError)) throw error;
    throw refusal;
  });
  if (!found) throw refusal;
  return answerMade(registry, request, name, digest, found);
}

/** Every engine sends a HEAD for each layer before it pushes the layer. Before a pull, only Docker 1.8 and 1.9 do. */
function isOfPush({ method, client }: ClientRequest): boolean {
  return method === 'HEAD' && client.profile.pullsByGet;
}

/** The source of a derived blob may be deleted while upstream has the blob itself, or while another image leads to it. */
const sourceIsGone = ignoring((error) => hasCode(error, 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN'));

/** A derived blob: the right to its image is the right to the blob. */
async function answerMade(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  digest: Digest,
  recipe: Recipe,
): Promise<Response> {
  const proof = await resolveRoot(registry.stored, name, recipe.root, `blob ${digest}`, request.context);
  switch (recipe.product) {
    case 'config': {
      const bytes = await registry.blobs.getConfig(name, digest, recipe, request.context);
      return blobResponse(request, digest, bytes, proof.public);
    }
    case 'layer': {
      const layer = { compressed: recipe.packed, digest, size: recipe.size };
      // A HEAD opens nothing.
      if (request.method === 'HEAD') await registry.blobs.proveLayer(name, recipe.packed, request.context);
      const headers = derivedBlobHeaders(digest, proof.public);
      const { verifiesBlobs } = request.client.profile;
      return blobStreamResponse(request, layer.size, headers, (span) =>
        registry.blobs.openLayer(name, layer, request.context, { span, verifies: !verifiesBlobs }),
      );
    }
    case 'manifest':
      throw new RegistryError('BLOB_UNKNOWN', `${digest} is a manifest of ${name}, and no blob.`);
  }
}

/** Only upstream's own type tells the parts of several ranges apart (RFC 9110, section 15.3.7.2). */
function multipart({ headers }: Response): Record<string, string> {
  const type = headers.get('content-type') ?? '';
  return type.startsWith('multipart/byteranges') ? { 'Content-Type': type } : {};
}

/** A stored blob. The bytes stream from upstream to the client, or the client gets them from upstream's storage. */
const forwardStored = fromStore((registry, request, name, digest) => {
  const { kept, redirects } = registry.blobs;
  const fills = kept?.takes(0) && !redirects && request.method !== 'HEAD' && !asksForPart(request);
  if (fills) return streamVerified(registry, request, name, digest);
  return forwardBlob(registry, request, name, digest, redirects ? 'return' : 'follow');
});

/** Upstream's own response. @param redirects whether the client gets the address of upstream's storage. */
async function forwardBlob(
  { client }: Registry,
  request: ClientRequest,
  name: RepositoryName,
  digest: Digest,
  redirects: 'follow' | 'return',
): Promise<Response> {
  const head = request.method === 'HEAD';
  const asked = pickHeaders(request, partHeaders);
  const ask = head ? headBlob : requestBlob;
  const options = { headers: asked, redirects };
  const { response, anonymous } = await ask(client, name, digest, request.context, options);
  if (head && (response.ok || isRedirect(response) || fits(response, asked))) await discard(response);
  if (response.ok) await refuseEncoded(response, `the blob ${digest}`);
  if (isRedirect(response)) return redirected(response, head ? null : response.body, digest, anonymous);
  if (!fits(response, asked)) throw await blobError(response, name, digest);
  // docker-registry 2.8.2 sends the blob's length with the few words of a 416.
  const beyond = response.status === 416;
  if (beyond) await discard(response);
  const { headers } = storedBlobHeaders(digest, { headers: response.headers, public: anonymous });
  return responseWithUpstreamBody(head || beyond || response.status === 304 ? null : response.body, {
    status: response.status,
    headers: {
      ...headers,
      ...multipart(response),
      ...pickHeaders(response, ['content-length', 'content-range']),
      ...(beyond ? { 'content-length': '0' } : {}),
    },
  });
}

function redirected(
  response: Response,
  body: ReadableStream | null,
  digest: Digest,
  isPublic: boolean,
): Response {
  return responseWithUpstreamBody(body, {
    status: response.status,
    headers: {
      ...apiVersion,
      ...noticesOf(response),
      ...pickHeaders(response, ['location']),
      'Cache-Control': cacheControl(isPublic),
      'Docker-Content-Digest': digest,
    },
  });
}

/**
 * A stored blob for a client that verifies nothing: regshift verifies the bytes while it sends them, and breaks the
 * response off before its end if they are wrong. There is no redirect to storage. There are no parts either: the client
 * would join them, and the first part might come from wrong bytes even if the whole blob is right at the second request.
 * @param manifestSize bytes of the blob by its manifest, which count if upstream sends no length.
 */
export function verifyStored(manifestSize?: number): AnswerStored {
  const answer = fromStore((registry, request, name, digest) =>
    request.method === 'HEAD'
      ? forwardBlob(registry, request, name, digest, 'follow')
      : streamVerified(registry, request, name, digest, manifestSize),
  );
  return async (registry, request, name, digest) => {
    const response = await answer(registry, wholeRequest(request), name, digest);
    response.headers.set('Accept-Ranges', 'none');
    return response;
  };
}

/** A whole blob of upstream, which is verified while it is sent, and stored if the proxy keeps blobs. */
async function streamVerified(
  { blobs }: Registry,
  { context }: ClientRequest,
  name: RepositoryName,
  digest: Digest,
  manifestSize?: number,
): Promise<Response> {
  const blob = await blobs.openStored(name, { digest, size: manifestSize }, context);
  const { stream, size, anonymous } = blob;
  const { headers } = storedBlobHeaders(digest, { headers: blob.headers, public: anonymous });
  const length = size === undefined ? {} : { 'Content-Length': String(size) };
  return responseWithUpstreamBody(stream, { headers: { ...headers, ...length } });
}

/** True if a status answers the request: 206 and 416 answer a range, and 304 a condition. */
function fits({ status }: Response, asked: Readonly<Record<string, string>>): boolean {
  if (status === 206 || status === 416) return 'range' in asked;
  if (status === 304) return 'if-none-match' in asked || 'if-modified-since' in asked;
  return status === 200;
}
