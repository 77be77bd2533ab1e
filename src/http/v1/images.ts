import { v1ImageJson } from '../../../converters/formats/registry-v1/write.ts';
import { Failure } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { platformFor } from '../../registry/manifests/client-platform.ts';
import type { RegistryV1 } from '../../registry/v1/registry-v1.ts';
import type { V1Asked } from './found-image.ts';
import { answerLayer, layerSize } from './layer.ts';
import { bytesAnswer, cacheRule, jsonAnswer } from './responses.ts';
import { rootCookie, rootIn } from './root-cookie.ts';

/** `GET /v1/images/<id>/{ancestry,json,layer}`. @throws Failure. */
export async function answerImage(
  registry: RegistryV1,
  request: ClientRequest,
  kind: 'ancestry' | 'image-json' | 'layer',
  id: string,
): Promise<Response> {
  const asked = await findImage(registry, request, id);
  if (kind !== 'ancestry' && asked.part.unpacked) {
    await registry.search.ready(asked.repository, asked, request.caller);
  }
  switch (kind) {
    case 'ancestry':
      return answerAncestry(request, asked);
    case 'image-json':
      return answerJson(registry, request, asked);
    case 'layer':
      return answerLayer(registry, request, asked);
  }
}

/** An id is looked up in the repository that is pulled, and nowhere else (CVE-2014-8178). */
async function findImage(
  { route, search }: RegistryV1,
  request: ClientRequest,
  id: string,
): Promise<V1Asked> {
  const { v1Context: context, caller } = request;
  if (context === undefined) {
    const message =
      'The address names no repository. Ask for /v1/repositories/<name>/images first, and go on at the endpoint that ' +
      'the answer names (X-Docker-Endpoints).';
    throw new Failure('ENDPOINT_UNKNOWN', message);
  }
  const { repository, tag: wanted } = context;
  if (!route.serves(repository)) {
    throw new Failure('NAME_UNKNOWN', `The repository ${repository} is not served here.`);
  }
  const hints = { platform: platformFor(route, request), root: rootIn(request), wanted };
  const found = await search.withId(repository, id, hints, caller);
  const part = found?.chain.parts.find((each) => each.id === id);
  if (found && part) return { ...found, repository, part };
  throw new Failure('BLOB_UNKNOWN', `There is no image ${id} in ${repository} that its tags lead to.`);
}

/** The ids from the one asked for down to the base. */
function answerAncestry(request: ClientRequest, asked: V1Asked): Response {
  const { parts, root } = asked.chain;
  const ids = parts.slice(parts.indexOf(asked.part)).map(({ id }) => id);
  return jsonAnswer(ids, request, { ...cacheRule(asked), ...rootCookie(root) });
}

async function answerJson(registry: RegistryV1, request: ClientRequest, asked: V1Asked): Promise<Response> {
  const size = await layerSize(registry, request, asked);
  return bytesAnswer(v1ImageJson(asked.part), request, {
    ...cacheRule(asked),
    // Docker resumes a layer only when it knows its size, and believes this.
    ...(size === undefined ? {} : { 'X-Docker-Size': String(size) }),
  });
}
