import { schema1Types } from '../../../converters/media-types.ts';
import type { Reference } from '../../../converters/reference.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { type PushedManifest, readPushed } from '../../registry/push/pushed-manifest.ts';
import type { Registry } from '../../registry/registry.ts';
import type { RepositoryMapping } from '../../routing/repository-names.ts';
import { manifestPath } from '../../upstream/api/paths.ts';
import { pushScope } from '../../upstream/auth/scope.ts';
import { upstreamQuery } from '../upstream-query.ts';
import { isHidden, isRefusal, type PushRefusal, readRefusal } from './push-refusal.ts';
import { write } from './writes.ts';

/** A client's push of one manifest. */
export interface ManifestPush {
  readonly registry: Registry;
  readonly request: ClientRequest;
  readonly mapping: RepositoryMapping;
  readonly reference: Reference;
  /** undefined for a request without a body. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * Sends a manifest to upstream under a reference.
 * @returns a refusal that regshift may be able to do something about, and any other response as it is.
 */
export async function putTo(
  push: ManifestPush,
  reference: string,
  own: ClientRequest,
): Promise<Response | PushRefusal> {
  const { upstream: name } = push.mapping;
  const path = `${manifestPath(name, reference)}${upstreamQuery(push.request.url)}`;
  const response = await write(push.registry, own, name, path, pushScope(name));
  const isRefused = isRefusal(response) || (isHidden(response) && (await isSchema1(push)));
  return isRefused ? readRefusal(response) : response;
}

async function isSchema1(push: ManifestPush): Promise<boolean> {
  const manifest = await readableManifest(push);
  return schema1Types.includes(manifest?.mediaType ?? '');
}

/** The pushed manifest, if regshift reads it, and if its digest is the one that it is pushed by. */
export async function readableManifest({
  registry,
  request,
  reference,
  bytes,
}: ManifestPush): Promise<PushedManifest | undefined> {
  await registry.client.turn?.(bytes?.length ?? 0);
  const manifest = bytes && readPushed(bytes, request.headers.get('content-type'));
  return reference.kind === 'tag' || reference.digest === manifest?.digest ? manifest : undefined;
}
