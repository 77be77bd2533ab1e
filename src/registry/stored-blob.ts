import type { Digest } from '../../converters/digest.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { RegistryError } from '../errors.ts';
import { discard } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { errorFromResponse } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';

/**
 * Amazon's public registry answers 401 to every HEAD of a blob, and tells its size to a GET alone
 * (distribution/distribution#4383); Docker 1.8 and 1.9 ask for each layer by HEAD first.
 */
const headRefusals: readonly number[] = [401, 403, 405];

/** Whether a blob that a HEAD was answered so for may still be available by GET. */
export function refusesHead(status: number): boolean {
  return headRefusals.includes(status);
}

/**
 * Asks upstream for this very blob, with the caller's login.
 * @returns that upstream has it, and whether it gives it to anyone.
 * @throws RegistryError as upstream refuses: BLOB_UNKNOWN or NAME_UNKNOWN where upstream does not have it.
 */
export async function findStoredBlob(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  { credential, budget, signal }: RequestContext,
): Promise<{ readonly public: boolean }> {
  const ask = (method: 'HEAD' | 'GET') => {
    const path = `/v2/${repository}/blobs/${digest}`;
    return client.request({ method, path, repository, credential, budget, signal });
  };
  const first = await ask('HEAD');
  const { response, anonymous } = refusesHead(first.response.status) ? await ask('GET') : first;
  if (!response.ok)
    throw await errorFromResponse(response, `blob ${digest} of ${repository}`, 'BLOB_UNKNOWN');
  await discard(response);
  return { public: anonymous };
}

/** Whether an error says that upstream does not have what it was asked for. */
export function isAbsence(error: unknown): boolean {
  const codes = ['BLOB_UNKNOWN', 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN'];
  return error instanceof RegistryError && codes.includes(error.code);
}

/** Whether an error says that upstream refuses this to the caller. */
export function isRefused(error: unknown): boolean {
  return error instanceof RegistryError && (error.code === 'UNAUTHORIZED' || error.code === 'DENIED');
}
