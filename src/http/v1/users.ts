import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { RegistryV1 } from '../../registry/v1/registry-v1.ts';
import { pingResponse } from '../v2/ping.ts';
import { v1ErrorResponse, v1JsonResponse } from './responses.ts';

/**
 * `docker login` of 1.3 to 1.5. It first POSTs the login, to make an account: 401 tells it that there is one to check,
 * which it does by GET with Basic. What was posted is not read.
 * @throws RegistryError UNAUTHORIZED where upstream does not take the login. The proxy's own clients have been checked by
 *   the guard before this.
 */
export async function checkV1Login(
  { registry, passThrough }: RegistryV1,
  request: ClientRequest,
): Promise<Response> {
  if (request.method === 'POST') return v1ErrorResponse(noAccounts(), request);
  if (passThrough && !request.headers.has('authorization')) {
    throw new RegistryError('UNAUTHORIZED', 'Log in with a name and a password of the registry.');
  }
  await pingResponse(registry.pinger, request, passThrough);
  return v1JsonResponse('OK', request, { 'Cache-Control': 'private, no-store' });
}

function noAccounts(): RegistryError {
  return new RegistryError('UNAUTHORIZED', 'Accounts are not made here. Log in with one of the registry.');
}
