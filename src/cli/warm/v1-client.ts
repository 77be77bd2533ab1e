import { limits } from '../../../converters/limits.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { counted } from '../../counted.ts';
import { RegistryError } from '../../errors.ts';
import { basicAuthorization } from '../../upstream/auth/credential.ts';
import { discard, readBounded } from '../../upstream/body.ts';
import { networkError } from '../../upstream/network-errors.ts';
import type { ProxyAccess } from './proxy-access.ts';
import type { Pulled } from './pulled.ts';

interface V1Client extends ProxyAccess {
  readonly userAgent: string;
}

/** Runs the first requests of a pull by registry API v1: the endpoint, the id of the image, and its ancestry. @throws RegistryError. */
export async function pullV1(
  { proxy, credential, send, userAgent }: V1Client,
  name: RepositoryName,
  tag: string,
): Promise<Pulled> {
  const basic = basicAuthorization(credential);
  const get = async (url: string, authorization: string | undefined) => {
    const headers = {
      'user-agent': userAgent,
      'x-docker-token': 'true',
      ...(authorization ? { authorization } : {}),
    };
    const response = await send(url, { headers, redirect: 'manual' }).catch((error: unknown) => {
      throw networkError(error, 'GET', new URL(url));
    });
    if (!response.ok) throw await v1Error(response, new URL(url).pathname);
    return response;
  };
  const base = proxy.href.replace(/\/+$/, '');
  const images = await get(`${base}/v1/repositories/${name}/images`, basic);
  await discard(images);
  const token = images.headers.get('x-docker-token');
  const endpoint = images.headers.get('x-docker-endpoints');
  const next = endpoint ? endpointAt(proxy, endpoint) : base;
  const authorization = token ? `Token ${token}` : undefined;
  const id = await readJson(await get(`${next}/v1/repositories/${name}/tags/${tag}`, authorization));
  if (typeof id !== 'string' || !/^[0-9a-f]{64}$/.test(id)) throw invalidV1('an image id of 64 hex digits');
  const chain = await readJson(await get(`${next}/v1/images/${id}/ancestry`, authorization));
  if (!Array.isArray(chain)) throw invalidV1('a list of image ids');
  return { form: `registry API v1, ${counted(chain.length, 'image')}` };
}

function invalidV1(expected: string): RegistryError {
  return new RegistryError(
    'UPSTREAM_ANSWER',
    `The proxy does not speak registry API v1: expected ${expected}. Check the address in --proxy.`,
  );
}

/** Returns the proxy's own address with the path of the endpoint. Another host must not get the token. */
function endpointAt(proxy: URL, endpoint: string): string {
  const path = endpoint.includes('/') ? endpoint.slice(endpoint.indexOf('/')) : '';
  return `${proxy.origin}${path}`;
}

async function readJson(response: Response): Promise<unknown> {
  const bytes = await readBounded(response, limits.documentBytes, 'the answer');
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw invalidV1('JSON');
  }
}

async function v1Error(response: Response, path: string): Promise<RegistryError> {
  const retryAfter = response.headers.get('retry-after');
  const text = new TextDecoder().decode(await readBounded(response, limits.documentBytes, 'the answer'));
  const message = /"error"\s*:\s*"([^"]{1,500})/.exec(text)?.[1];
  const answered = `The proxy answered ${response.status} for ${path}`;
  const shown =
    message === undefined
      ? `${answered}, without a message of registry API v1. Check the address in --proxy.`
      : `${answered}: ${message}`;
  return new RegistryError('UPSTREAM_ANSWER', shown, {
    ...(retryAfter ? { headers: { 'retry-after': retryAfter } } : {}),
    detail: { upstreamStatus: response.status },
  });
}
