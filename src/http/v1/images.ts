import { v1ImageJson } from '../../../converters/formats/registry-v1/write.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { platformFor } from '../../registry/manifests/client-platform.ts';
import type { Registry } from '../../registry/registry.ts';
import type { V1ImageRequest } from './found-image.ts';
import { getV1Layer, layerSize } from './layer.ts';
import { v1BytesResponse, v1CacheControl, v1JsonResponse } from './responses.ts';
import { rootCookie, rootIn } from './root-cookie.ts';

/** `GET /v1/images/<id>/{ancestry,json,layer}`. @throws RegistryError. */
export async function getV1Image(
  registry: Registry,
  request: ClientRequest,
  kind: 'ancestry' | 'image-json' | 'layer',
  id: string,
): Promise<Response> {
  const asked = await findImage(registry, request, id);
  if (kind !== 'ancestry' && asked.part.decompressed) {
    await registry.v1.search.ready(asked.repository, asked, request.context);
  }
  switch (kind) {
    case 'ancestry':
      return answerAncestry(request, asked);
    case 'image-json':
      return answerJson(registry, request, asked);
    case 'layer':
      return getV1Layer(registry, request, asked);
  }
}

/** The proxy looks up an id only in the repository that is pulled (CVE-2014-8178). */
async function findImage(registry: Registry, request: ClientRequest, id: string): Promise<V1ImageRequest> {
  const { v1Context: context, context: caller } = request;
  if (context === undefined) {
    const message =
      'The address names no repository. Ask for /v1/repositories/<name>/images first, and go on at the endpoint that ' +
      'the answer names (X-Docker-Endpoints).';
    throw new RegistryError('ENDPOINT_UNKNOWN', message);
  }
  const { repository, tag: wanted } = context;
  if (!registry.serves(repository)) {
    throw new RegistryError('NAME_UNKNOWN', `The repository ${repository} is not served here.`);
  }
  const hints = { platform: platformFor(registry, request), root: rootIn(request), wanted };
  const found = await registry.v1.search.withId(repository, id, hints, caller);
  const part = found?.chain.parts.find((each) => each.id === id);
  if (found && part) return { ...found, repository, part };
  throw new RegistryError('BLOB_UNKNOWN', `There is no image ${id} in ${repository} that its tags lead to.`);
}

/** The ids from the requested image down to the base. */
function answerAncestry(request: ClientRequest, asked: V1ImageRequest): Response {
  const { parts, root } = asked.chain;
  const ids = parts.slice(parts.indexOf(asked.part)).map(({ id }) => id);
  return v1JsonResponse(ids, request, { ...v1CacheControl(asked), ...rootCookie(root) });
}

async function answerJson(
  registry: Registry,
  request: ClientRequest,
  asked: V1ImageRequest,
): Promise<Response> {
  const size = await layerSize(registry, request, asked);
  return v1BytesResponse(v1ImageJson(asked.part), request, {
    ...v1CacheControl(asked),
    // Docker shows the progress of a layer by this header.
    ...(size === undefined ? {} : { 'X-Docker-Size': String(size) }),
  });
}
