import type { Digest } from '../../converters/digest.ts';
import { isSealed } from '../client-state/upload-location.ts';
import type { ClientRequest } from '../registry/client-request.ts';
import type { Registry } from '../registry/registry.ts';
import type { RepositoryMapping } from '../routing/repository-names.ts';
import { uploadsPath } from '../upstream/api/paths.ts';
import { uploadLocationOf } from '../upstream/api/uploads.ts';
import { leavesTls } from './public-url.ts';

/** Characters of an upload's name in a path, as most registries write it. A path cannot hide in them. */
const plainUpload = /^[\w.~=+:@-]+$/;

export function isUploadName(segment: string): boolean {
  return plainUpload.test(segment);
}

/**
 * The Location of an upload for the client: below `/v2/<name>/blobs/uploads/`, with upstream's query, which is the
 * state of the upload for many registries.
 * @param asked the URL that upstream answered; a relative Location is relative to it.
 * @throws RegistryError UPSTREAM_ANSWER for a Location that is not safe to follow.
 */
export async function uploadLocation(
  registry: Registry,
  request: ClientRequest,
  { upstream: name, client: shown }: RepositoryMapping,
  response: Response,
  asked: URL,
): Promise<string> {
  const { url, spelled } = uploadLocationOf(response, asked);
  const uploads = `${uploadPrefix(request, response)}/v2/${shown}/blobs/uploads/`;
  const usual = new URL(`${registry.client.id}${uploadsPath(name)}`).href;
  const segment = url.href.startsWith(usual) ? url.pathname.slice(new URL(usual).pathname.length) : '';
  if (isUploadName(segment) && !isSealed(segment)) return `${uploads}${segment}${url.search}`;
  return `${uploads}${await registry.pushes.locations.seal(spelled, name)}`;
}

/** The Location of content that was written. */
export function contentLocation(
  request: ClientRequest,
  { client: shown }: RepositoryMapping,
  kind: 'blobs' | 'manifests',
  reference: Digest | string,
): string {
  return `${ownPrefix(request)}/v2/${shown}/${kind}/${reference}`;
}

/**
 * The part of an upload's Location before `/v2/`: nothing where the registry answers with a path. Azure's SDK of 1.1.2
 * cuts the first character off a Location, so that it pushes to registries that answer with a path, and to no others
 * (container-registry, `uploadBlob` of containerRegistryContentClient).
 */
function uploadPrefix(request: ClientRequest, { headers }: Response): string {
  const isPath = /^\/(?!\/)/.test(headers.get('location') ?? '');
  return isPath && request.client.profile.pathLocations ? pathPrefix(request) : ownPrefix(request);
}

/**
 * Docker up to 1.9 needs a full URL in Location. If an untrusted proxy in front speaks TLS, the proxy's own address
 * has the wrong scheme; a path alone works for all newer clients.
 */
function ownPrefix(request: ClientRequest): string {
  return leavesTls(request) ? pathPrefix(request) : request.address;
}

function pathPrefix({ address }: ClientRequest): string {
  return new URL(address).pathname.replace(/\/$/, '');
}
