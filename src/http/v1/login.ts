import type { Handler } from 'hono';
import { ignoring, RegistryError } from '../../errors.ts';
import { containersImage } from '../../negotiation/client-rows.ts';
import type { Env } from '../env.ts';
import { registryErrorFrom, statusOf } from '../errors.ts';
import { pingResponse } from '../v2/ping.ts';
import { v1ErrorResponse, v1JsonResponse } from './responses.ts';

/**
 * Programs that pull by API v2 alone. Some ask for this ping after a failed `/v2/`, only to tell the user that there is
 * a registry of API v1 (containers/image, docker/docker_client.go, `detectPropertiesHelper`).
 */
const programsOfV2 = new RegExp(
  `^(${[...containersImage.map(({ program }) => program), 'containerd', 'containerd-client', 'buildkit'].join('|')})/`,
  'i',
);

/**
 * `GET /v1/_ping`. The proxy calls itself a standalone registry: over HTTPS, Docker up to 1.9 then sends its login with
 * every request.
 * @throws RegistryError the error of `/v2/`, where that has a status of 500 or more.
 */
export const v1Ping: Handler<Env> = async (context) => {
  const { registry } = context.get('route');
  const { passThrough } = registry.v1;
  const request = context.get('request');
  if (programsOfV2.test(request.headers.get('user-agent') ?? ''))
    return v1ErrorResponse(noPingOfV1(), request);
  await pingResponse(registry.pinger, request, passThrough).catch(
    ignoring((error) => statusOf(registryErrorFrom(error)) < 500),
  );
  // A cache in front would give it to the programs above, and while the registry is down.
  const notStored = { 'Cache-Control': 'no-store', Vary: 'User-Agent' };
  return v1JsonResponse({}, request, { 'X-Docker-Registry-Standalone': 'true', ...notStored });
};

function noPingOfV1(): RegistryError {
  return new RegistryError('ENDPOINT_UNKNOWN', 'Pull by registry API v2.');
}

/**
 * `docker login` of 1.3 to 1.5. It first POSTs the login, to create an account. 401 tells it that the account exists;
 * it then checks the login by GET with Basic. The proxy does not read the posted body.
 * @throws RegistryError UNAUTHORIZED if upstream refuses the login. `clientAuth` has checked a login for the proxy
 *   before.
 */
export const checkV1Login: Handler<Env> = async (context) => {
  const { registry } = context.get('route');
  const { passThrough } = registry.v1;
  const request = context.get('request');
  if (request.method === 'POST') return v1ErrorResponse(noAccounts(), request);
  if (passThrough && !request.headers.has('authorization')) {
    throw new RegistryError('UNAUTHORIZED', 'Log in with a name and a password of the registry.');
  }
  await pingResponse(registry.pinger, request, passThrough);
  return v1JsonResponse('OK', request, { 'Cache-Control': 'private, no-store' });
};

function noAccounts(): RegistryError {
  return new RegistryError('UNAUTHORIZED', 'Accounts are not made here. Log in with one of the registry.');
}
