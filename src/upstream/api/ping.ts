import type { UpstreamClient } from '../client.ts';
import type { ApiContext } from '../request-context.ts';
import { pingPath } from './paths.ts';

/**
 * `GET /v2/`, which tells whether a client must log in.
 * @returns the response with any status: 401 has the registry's challenge. @throws RegistryError.
 */
export async function requestPing(
  client: UpstreamClient,
  { credential, budget, signal }: ApiContext,
): Promise<Response> {
  const { response } = await client.request({ method: 'GET', path: pingPath, credential, budget, signal });
  return response;
}
