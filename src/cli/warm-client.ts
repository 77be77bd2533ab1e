import { type Digest, isDigest } from '../../converters/digest.ts';
import { ConversionError } from '../../converters/errors.ts';
import { limits } from '../../converters/limits.ts';
import { fitting, type Platform } from '../../converters/platform.ts';
import { readManifest } from '../../converters/read.ts';
import type { RepositoryName, Tag } from '../../converters/reference.ts';
import { Failure } from '../errors.ts';
import { describeClient } from '../negotiation/client-profile.ts';
import { formName } from '../negotiation/form-names.ts';
import type { Generation } from '../negotiation/generations.ts';
import { failureOf } from '../stored/upstream-answer.ts';
import { discard, readBounded } from '../upstream/body.ts';
import { createUpstreamClient } from '../upstream/client.ts';
import { basicAuthorization, type Shown } from '../upstream/credential.ts';
import { networkFailure } from '../upstream/upstream-failure.ts';
import { headersOf } from './registry.ts';

/** Asks a proxy for what one generation of clients asks it for, up to the layers. */
export interface WarmClient {
  /** @throws Failure; with Retry-After in its headers where the proxy says when to come back. */
  pull(name: RepositoryName, reference: Tag | Digest): Promise<Pulled>;
}

export interface Pulled {
  readonly form: string;
  readonly digest?: Digest;
}

/** A proxy waits for layers itself (REGSHIFT_MEASURE_DEADLINE), and longer for what upstream answers. */
const headersDeadlineMs = 180_000;

export function createWarmClient(
  proxy: URL,
  generation: Generation,
  platform: Platform,
  credential: Shown,
): WarmClient {
  const { userAgent, accept } = headersOf(generation, platform);
  const client = createUpstreamClient({
    baseUrl: proxy,
    fetch: (url, init) => fetch(url, init),
    userAgent,
    clock: Date.now,
    headersDeadlineMs,
    allowAnonymousTokens: true,
    background: () => undefined,
  });

  /** An empty Accept stands for none, which `fetch` does not send: it would say that anything will do. */
  const ask = async (repository: RepositoryName, reference: string): Promise<Response> => {
    const path = `/v2/${repository}/manifests/${reference}`;
    const headers = { accept: accept.join(', ') };
    const { response } = await client.request({ method: 'GET', path, repository, credential, headers });
    return response;
  };

  async function manifest(repository: RepositoryName, reference: string) {
    const response = await ask(repository, reference);
    const what = `manifest ${reference} of ${repository}`;
    if (!response.ok) throw await failureOf(response, what, 'MANIFEST_UNKNOWN');
    const mediaType = response.headers.get('content-type') ?? '';
    const digest = response.headers.get('docker-content-digest');
    const bytes = await readBounded(response, limits.documentBytes, `the ${what}`);
    return { mediaType, bytes, ...(isDigest(digest) ? { digest } : {}) };
  }

  return {
    async pull(name, reference) {
      if (!describeClient(userAgent).profile.apiV2) {
        // Which tag it wants, this Docker says by asking API v2 first, in vain.
        await discard(await ask(name, reference));
        return pullV1(proxy, name, reference, { userAgent, credential });
      }
      const { bytes, mediaType, digest } = await manifest(name, reference);
      const below = imageBelow(bytes, mediaType, platform);
      if (below) await manifest(name, below);
      return { form: formName(mediaType), ...(digest ? { digest } : {}) };
    },
  };
}

/** Of an index: the image that the client goes on with. */
function imageBelow(bytes: Uint8Array, mediaType: string, platform: Platform): Digest | undefined {
  try {
    const model = readManifest(bytes, mediaType);
    return model.kind === 'index' ? fitting(platform, model.dependencies)[0]?.digest : undefined;
  } catch (error) {
    // An artifact has nothing below it that would be converted.
    if (error instanceof ConversionError) return undefined;
    throw error;
  }
}

interface V1Client {
  readonly userAgent: string;
  readonly credential: Shown;
}

/** The beginning of a pull by registry API v1: where to go on, the image's id, and the chain below it. */
async function pullV1(
  proxy: URL,
  name: RepositoryName,
  tag: string,
  { userAgent, credential }: V1Client,
): Promise<Pulled> {
  const basic = basicAuthorization(credential);
  const get = async (url: string, authorization: string | undefined) => {
    const headers = {
      'user-agent': userAgent,
      'x-docker-token': 'true',
      ...(authorization ? { authorization } : {}),
    };
    const response = await fetch(url, { headers, redirect: 'manual' }).catch((error: unknown) => {
      throw networkFailure(error, 'GET', new URL(url));
    });
    if (!response.ok) throw await v1Failure(response, new URL(url).pathname);
    return response;
  };
  const base = proxy.href.replace(/\/+$/, '');
  const images = await get(`${base}/v1/repositories/${name}/images`, basic);
  await discard(images);
  const token = images.headers.get('x-docker-token');
  const endpoint = images.headers.get('x-docker-endpoints');
  const next = endpoint ? endpointAt(proxy, endpoint) : base;
  const given = token ? `Token ${token}` : undefined;
  const id = await readJson(await get(`${next}/v1/repositories/${name}/tags/${tag}`, given));
  if (typeof id !== 'string' || !/^[0-9a-f]{64}$/.test(id)) throw noV1('an image id of 64 hex digits');
  const chain = await readJson(await get(`${next}/v1/images/${id}/ancestry`, given));
  if (!Array.isArray(chain)) throw noV1('a list of image ids');
  return { form: `registry API v1, ${chain.length} images` };
}

function noV1(expected: string): Failure {
  return new Failure(
    'UPSTREAM_ANSWER',
    `The proxy does not speak registry API v1: ${expected} was expected.`,
  );
}

/** The proxy names itself with its path; another host would be sent a token that is not for it. */
function endpointAt(proxy: URL, endpoint: string): string {
  const path = endpoint.includes('/') ? endpoint.slice(endpoint.indexOf('/')) : '';
  return `${proxy.origin}${path}`;
}

async function readJson(response: Response): Promise<unknown> {
  const bytes = await readBounded(response, limits.documentBytes, 'the answer');
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw noV1('JSON');
  }
}

async function v1Failure(response: Response, path: string): Promise<Failure> {
  const retryAfter = response.headers.get('retry-after');
  const text = new TextDecoder().decode(await readBounded(response, limits.documentBytes, 'the answer'));
  const message = /"error"\s*:\s*"([^"]{1,500})/.exec(text)?.[1] ?? '';
  return new Failure('UPSTREAM_ANSWER', `The proxy answered ${response.status} for ${path}: ${message}`, {
    ...(retryAfter ? { headers: { 'retry-after': retryAfter } } : {}),
    detail: { upstreamStatus: response.status },
  });
}
