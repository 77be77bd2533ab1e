import type { Handler } from 'hono';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { ManifestResult } from '../../registry/manifests/manifests.ts';
import type { Registry } from '../../registry/registry.ts';
import { cacheControl } from '../cache-control.ts';
import { conversionText, loggedConversion } from '../conversion-text.ts';
import type { Env } from '../env.ts';
import { inertHeaders } from '../inert-content.ts';
import { referenceParam } from '../params.ts';
import { apiVersion, bytesResponse, headersWithLength, matchesEtag, namespaceHeader } from '../responses.ts';

/** `GET` and `HEAD /v2/<name>/manifests/<reference>`. @throws RegistryError; ConversionError. */
export const getManifest: Handler<Env> = (context) => {
  const { registry } = context.get('route');
  const { upstream } = context.get('mapping');
  return getManifestResponse(registry, context.get('request'), upstream, referenceParam(context));
};

/** The response to a request for a manifest of one registry. @throws RegistryError; ConversionError. */
export async function getManifestResponse(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
): Promise<Response> {
  if (!request.client.profile.apiV2) {
    // Docker up to 1.7 does not name the tag that it wants by API v1.
    if (reference.kind === 'tag') registry.v1.requestedTags.record(name, reference.tag, request.context);
    // Docker 1.5 reads schema 1, fetches every blob and then fails. A refusal at once makes it continue with API v1.
    throw new RegistryError('MANIFEST_UNKNOWN', 'This Docker cannot pull by registry API v2.');
  }
  const result = await registry.manifests.get(request, name, reference);
  const headers = headersOf(result, request);
  if (result.conversion) request.notes.conversion = loggedConversion(result.conversion, result.losses);
  if (result.age !== undefined) request.notes.age = result.age;
  if (matchesEtag(request.headers.get('if-none-match'), result.digest)) {
    return new Response(null, { status: 304, headers: { ...apiVersion, ...headers } });
  }
  const { body, freshness } = result;
  if (freshness) request.storeResponse?.({ headers: headersWithLength(body, headers), body }, freshness);
  return bytesResponse(body, headers, request.method === 'HEAD');
}

function headersOf(result: ManifestResult, { applied, repository }: ClientRequest): Record<string, string> {
  return {
    'Content-Type': result.mediaType,
    ...inertHeaders(result.mediaType),
    'Docker-Content-Digest': result.digest,
    ETag: `"${result.digest}"`,
    'Cache-Control': cacheControl(result.public && !applied?.byNetwork),
    Vary: 'Accept, User-Agent',
    'Regshift-Source-Digest': result.source,
    ...(result.conversion ? { 'Regshift-Conversion': conversionText(result.conversion, result.losses) } : {}),
    ...(result.age === undefined ? {} : { Age: String(result.age) }),
    // The response cache keeps it; the middleware, which adds it elsewhere, does not run then.
    ...namespaceHeader(repository),
  };
}
