import type { RepositoryName } from '../../../converters/reference.ts';
import { hasCode, ignoring, RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Registry } from '../../registry/registry.ts';
import type { V1Found } from '../../registry/v1/search.ts';
import type { Route } from '../route.ts';
import { anyImage } from './any-image.ts';
import { candidateRepositories, firstExisting } from './names.ts';
import { v1CacheControl, v1JsonResponse } from './responses.ts';

/**
 * `GET /v1/repositories/<name>/json`: facts of the image that `latest` names. docker-registry gave those of the last
 * push.
 */
export async function getV1Repository(
  { registry }: Route,
  request: ClientRequest,
  name: string,
): Promise<Response> {
  const { image } = await someImage(registry, request, name);
  const top = JSON.parse(image.chain.parts[0]?.json ?? '{}') as Record<string, unknown>;
  const created = Date.parse(String(top.created));
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const facts = {
    last_update: Number.isNaN(created) ? null : Math.floor(created / 1000),
    docker_version: text(top.docker_version),
    docker_go_version: null,
    arch: text(top.architecture),
    os: text(top.os),
    kernel: null,
  };
  return v1JsonResponse(facts, request, { Vary: 'User-Agent', ...v1CacheControl(image) });
}

/** `GET /v1/repositories/<name>/properties`: `public` if upstream serves the repository without a login. */
export async function getV1Properties(
  { registry }: Route,
  request: ClientRequest,
  name: string,
): Promise<Response> {
  const { repository, image } = await someImage(registry, request, name);
  const isPublic = image.public || (await isGivenToAnyone(registry, request, repository, image));
  return v1JsonResponse({ access: isPublic ? 'public' : 'private' }, request, v1CacheControl(image));
}

async function someImage(registry: Registry, request: ClientRequest, name: string) {
  return firstExisting(candidateRepositories(registry, request, name), async (repository) => {
    const image = await anyImage(registry, request, repository);
    if (image) return { repository, image };
    throw new RegistryError(
      'UNSUPPORTED',
      `No tag of ${repository} that was looked at can be given to this Docker.`,
    );
  });
}

/** Upstream was asked with a login, which proves nothing about other clients. */
async function isGivenToAnyone(
  registry: Registry,
  { context }: ClientRequest,
  repository: RepositoryName,
  { chain }: V1Found,
): Promise<boolean> {
  const root = { kind: 'digest', digest: chain.root } as const;
  const found = await registry.stored
    .resolve(repository, root, { ...context, credential: { kind: 'none' } })
    .catch(ignoring((error) => hasCode(error, 'UNAUTHORIZED', 'DENIED', 'MANIFEST_UNKNOWN')));
  return found?.public === true;
}
