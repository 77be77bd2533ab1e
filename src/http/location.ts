import type { Digest } from '../../converters/digest.ts';
import { isSealed } from '../client-state/upload-location.ts';
import type { ClientRequest } from '../registry/client-request.ts';
import type { Registry } from '../registry/registry.ts';
import type { RepositoryMapping } from '../routing/repository-names.ts';
import { uploadsPath } from '../upstream/api/paths.ts';
import { inTls } from '../upstream/in-tls.ts';
import { locationOf } from '../upstream/redirect.ts';
import { leavesTls } from './public-url.ts';

/** What names an upload in a path, where upstream does as most do: nothing that a path could be hidden in. */
const plainUpload = /^[\w.~=+:@-]+$/;

export function isUploadName(segment: string): boolean {
  return plainUpload.test(segment);
}

/**
 * Where an upload goes on, for the client: below `/v2/<name>/blobs/uploads/` as upstream has it there, with its query,
 * which is the state of the upload for many registries.
 * @param asked the URL that upstream answered for; a relative Location is relative to it.
 * @throws RegistryError UPSTREAM_ANSWER for a Location that no one should follow.
 */
export async function uploadLocation(
  registry: Registry,
  request: ClientRequest,
  { upstream: name, client: shown }: RepositoryMapping,
  response: Response,
  asked: URL,
): Promise<string> {
  const said = inTls(response.headers.get('location') ?? '', asked);
  const url = locationOf({ status: response.status, headers: new Headers({ location: said }) }, asked);
  const uploads = `${ownPrefix(request)}/v2/${shown}/blobs/uploads/`;
  const usual = new URL(`${registry.client.id}${uploadsPath(name)}`).href;
  const segment = url.href.startsWith(usual) ? url.pathname.slice(new URL(usual).pathname.length) : '';
  if (isUploadName(segment) && !isSealed(segment)) return `${uploads}${segment}${url.search}`;
  // As it is written: another spelling might not be what was signed.
  return `${uploads}${await registry.pushes.locations.seal(URL.canParse(said) ? said : url.href, name)}`;
}

/** Where what was written can be read. */
export function contentLocation(
  request: ClientRequest,
  { client: shown }: RepositoryMapping,
  kind: 'blobs' | 'manifests',
  reference: Digest | string,
): string {
  return `${ownPrefix(request)}/v2/${shown}/${kind}/${reference}`;
}

/**
 * Docker 1.6 to 1.9 take a Location as it is for a URL. Where something in front speaks TLS and is not trusted to say
 * so, the proxy's own address would have the wrong scheme: a path alone is then right for all newer clients.
 */
function ownPrefix(request: ClientRequest): string {
  return leavesTls(request) ? new URL(request.address).pathname.replace(/\/$/, '') : request.address;
}
