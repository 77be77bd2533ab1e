import { Failure } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { RegistryV1 } from '../../registry/v1/registry-v1.ts';
import { answerPing } from '../v2/ping.ts';
import { jsonAnswer, v1ErrorAnswer } from './responses.ts';

/**
 * `docker login` of 1.3 to 1.5. It first POSTs the login, to make an account: 401 tells it that there is one to check,
 * which it does by GET with Basic. What was posted is not read.
 * @throws Failure UNAUTHORIZED where upstream does not take the login. The proxy's own clients have been checked by
 *   the guard before this.
 */
export async function answerUsers(
  { route, passThrough }: RegistryV1,
  request: ClientRequest,
): Promise<Response> {
  if (request.method === 'POST') return v1ErrorAnswer(noAccounts(), request);
  if (passThrough && !request.headers.has('authorization')) {
    throw new Failure('UNAUTHORIZED', 'Log in with a name and a password of the registry.');
  }
  await answerPing(route.pinger, request, passThrough);
  return jsonAnswer('OK', request, { 'Cache-Control': 'private, no-store' });
}

function noAccounts(): Failure {
  return new Failure('UNAUTHORIZED', 'Accounts are not made here. Log in with one of the registry.');
}
