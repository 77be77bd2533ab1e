import { type Digest, isDigest } from '../../../converters/digest.ts';
import { limits } from '../../../converters/limits.ts';
import type { Platform } from '../../../converters/platform.ts';
import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import { describeClient } from '../../negotiation/client-profile.ts';
import { formName } from '../../negotiation/format-names.ts';
import { headersOf, type KnownClient } from '../../negotiation/known-clients.ts';
import { imageBelow } from '../../registry/manifests/image-below.ts';
import { manifestError, requestManifest } from '../../upstream/api/manifests.ts';
import { discard, readBounded } from '../../upstream/body.ts';
import { createProxyClient, type ProxyAccess } from './proxy-access.ts';
import type { Pulled } from './pulled.ts';
import { pullV1 } from './v1-client.ts';

/** Pulls from a proxy as one generation of clients does, without the layers. */
export interface WarmClient {
  /** Gets the manifests of an image. @throws RegistryError, with `Retry-After` in its headers if the proxy asks for a retry. */
  pull(name: RepositoryName, reference: Tag | Digest): Promise<Pulled>;
}

/** Longer than the proxy's own waits for layers (REGSHIFT_MEASURE_DEADLINE) and for upstream. */
const headersDeadlineMs = 660_000;

/** Makes a client with the headers of a generation of clients. */
export function createWarmClient(
  access: ProxyAccess,
  generation: KnownClient,
  platform: Platform,
): WarmClient {
  const { userAgent, accept } = headersOf(generation, platform);
  const client = createProxyClient(access, { userAgent, headersDeadlineMs });

  /** Requests a manifest. An empty `Accept` stands for none: without one, `fetch` would send a wildcard. */
  async function ask(repository: RepositoryName, reference: string): Promise<Response> {
    const own = { credential: access.credential };
    const headers = { accept: accept.join(', ') };
    const { response } = await requestManifest(client, 'GET', repository, reference, own, headers);
    return response;
  }

  async function getManifest(repository: RepositoryName, reference: string) {
    const response = await ask(repository, reference);
    if (!response.ok) throw await manifestError(response, repository, reference);
    const mediaType = response.headers.get('content-type') ?? '';
    const digest = response.headers.get('docker-content-digest');
    const bytes = await readBounded(
      response,
      limits.documentBytes,
      `the manifest ${reference} of ${repository}`,
    );
    return { mediaType, bytes, ...(isDigest(digest) ? { digest } : {}) };
  }

  return {
    async pull(name, reference) {
      if (!describeClient(userAgent).profile.apiV2) {
        // This Docker first requests the tag by API v2. The proxy learns the tag from that request.
        await discard(await ask(name, reference));
        return pullV1({ ...access, userAgent }, name, reference);
      }
      const { bytes, mediaType, digest } = await getManifest(name, reference);
      const below = imageBelow(bytes, mediaType, platform);
      if (below) await getManifest(name, below);
      return { form: formName(mediaType), ...(digest ? { digest } : {}) };
    },
  };
}
