import { systemClock, systemWallClock } from '../../clock.ts';
import { nodeMemory } from '../../runtime/node/platform.ts';
import type { StaticCredential } from '../../upstream/auth/credential.ts';
import {
  createUpstreamClient,
  type UpstreamClient,
  type UpstreamClientOptions,
} from '../../upstream/client.ts';
import type { Fetch } from '../../upstream/send.ts';

/** The way to a proxy, and the login for it. */
export interface ProxyAccess {
  readonly proxy: URL;
  readonly credential: StaticCredential;
  readonly send: Fetch;
}

export function createProxyClient(
  { proxy, send }: ProxyAccess,
  options: Pick<UpstreamClientOptions, 'userAgent' | 'headersDeadlineMs'>,
): UpstreamClient {
  return createUpstreamClient({
    ...options,
    baseUrl: proxy,
    fetch: send,
    clock: systemClock,
    wallClock: systemWallClock,
    allowAnonymousTokens: true,
    background: () => undefined,
    memory: nodeMemory(),
  });
}
