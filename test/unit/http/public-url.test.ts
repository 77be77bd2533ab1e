import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../src/config/settings.ts';
import { publicOrigin } from '../../../src/http/public-url.ts';
import { requestAuthority } from '../../../src/routing/authority.ts';
import { serve } from '../../../src/runtime/node/serve.ts';
import { rawRequest } from '../../support/raw-http.ts';
import { challenge, startServer } from '../upstream/local-server.ts';

function settingsOf(variables: Record<string, string>) {
  const read = readSettings(variables);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.settings;
}

function addressOf(variables: Record<string, string>, headers: Record<string, string>, peerAddress?: string) {
  const { REGSHIFT_PUBLIC_URL: publicUrl, REGSHIFT_TRUSTED_PROXIES: trustedProxies } = settingsOf(variables);
  const request = new Request('http://proxy.test:8080/v2/', { headers });
  return publicOrigin(publicUrl, requestAuthority(request, trustedProxies, { peerAddress }).origin);
}

const trusting = { REGSHIFT_TRUSTED_PROXIES: '10.0.0.0/8' };
const forwarded = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'images.test' };
const connection = 'http://proxy.test:8080';

describe("the proxy's own address", () => {
  it.each<[string, Record<string, string>, Record<string, string>, string | undefined, string]>([
    ['is that of the connection', {}, {}, '10.1.2.3', connection],
    ['is not what anyone forwards', {}, forwarded, '10.1.2.3', connection],
    ['is what a trusted proxy forwards', trusting, forwarded, '10.1.2.3', 'https://images.test'],
    ['is not what others forward', trusting, forwarded, '192.0.2.1', connection],
    ['is not what forwards whom the runtime does not know', trusting, forwarded, undefined, connection],
    [
      'has the Host where only the scheme is forwarded',
      trusting,
      { 'X-Forwarded-Proto': 'https' },
      '10.1.2.3',
      'https://proxy.test:8080',
    ],
    [
      'has the scheme where only the host is forwarded',
      trusting,
      { 'X-Forwarded-Host': 'images.test:81' },
      '10.1.2.3',
      'http://images.test:81',
    ],
    [
      'is the first of a list',
      trusting,
      { 'X-Forwarded-Proto': 'https, http', 'X-Forwarded-Host': 'a.test, b.test' },
      '10.1.2.3',
      'https://a.test',
    ],
    [
      'is not of another scheme',
      trusting,
      { ...forwarded, 'X-Forwarded-Proto': 'javascript' },
      '10.1.2.3',
      connection,
    ],
    [
      'is not a host with more in it',
      trusting,
      { ...forwarded, 'X-Forwarded-Host': 'a.test/"x@evil.test' },
      '10.1.2.3',
      connection,
    ],
    [
      'is as the operator says, before all',
      { ...trusting, REGSHIFT_PUBLIC_URL: 'https://public.test/' },
      forwarded,
      '10.1.2.3',
      'https://public.test',
    ],
    [
      'may have a path',
      { REGSHIFT_PUBLIC_URL: 'https://public.test/images/' },
      {},
      undefined,
      'https://public.test/images',
    ],
  ])('%s', (_what, variables, headers, peer, expected) => {
    expect(addressOf(variables, headers, peer)).toBe(expected);
  });

  it.each([
    ['127.0.0.1', 'https://images.test'],
    ['192.0.2.1', 'https://auth.test'],
  ])('on Node depends on the peer: %s is trusted', async (trusted, expected) => {
    const upstream = await startServer((_, response) =>
      challenge(response, 'Bearer realm="https://auth.test/token"'),
    );
    const settings = settingsOf({
      PORT: '0',
      REGSHIFT_UPSTREAM: upstream.url.href,
      REGSHIFT_TRUSTED_PROXIES: trusted,
    });
    const proxy = await serve({ settings, certificate: undefined, storeOperations: undefined }, () => {});
    try {
      const { status, header } = await rawRequest({
        port: Number(new URL(proxy.url).port),
        method: 'GET',
        path: '/v2/',
        headers: Object.entries(forwarded),
        host: 'other.test',
      });
      expect([status, header('WWW-Authenticate')]).toEqual([401, `Bearer realm="${expected}/token"`]);
    } finally {
      await proxy.close();
    }
  });
});
