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
  const uploads = `${ownPrefix(request)}/v2/${shown}/blobs/uploads/`;
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
 * Docker up to 1.9 and Charliecloud need a full URL in Location, and Azure's SDK needs a path. If an untrusted proxy in
 * front speaks TLS, the proxy's own address has the wrong scheme; a path alone works for all other clients.
 */
function ownPrefix(request: ClientRequest): string {
  const { address, client } = request;
  const isPath = leavesTls(request) || !client.profile.urlLocations;
  return isPath ? new URL(address).pathname.replace(/\/$/, '') : address;
}
