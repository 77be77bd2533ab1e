import type { RuntimePlatform } from '../../compose/platform.ts';
import { discard } from '../../upstream/body.ts';
import { isConnectionCut, networkCode } from '../../upstream/network-errors.ts';
import type { Fetch, FetchInit } from '../../upstream/send.ts';
import { speaksTlsCode } from '../error-text.ts';
import { withFetch } from '../with-fetch.ts';

/** Milliseconds for the question whether a server speaks TLS. */
const probeMs = 5_000;

/**
 * Makes a platform find out that a server speaks TLS where a request by plain HTTP fails. Servers tell that in many ways,
 * or not at all: Go (net/http/server.go), nginx and Apache answer 400, which to HEAD has no body, Node closes the
 * connection, and others send a TLS alert, which is no HTTP.
 * @param server only requests to its origin are examined, and only if it is named with http://.
 */
export function withTlsHint(platform: RuntimePlatform, server: URL): RuntimePlatform {
  if (server.protocol !== 'http:') return platform;
  return withFetch(platform, (fetch) => hinting(fetch, server));
}

function hinting(send: Fetch, { origin }: URL): Fetch {
  let found: Promise<boolean> | undefined;
  const speaksTls = (init: FetchInit) => {
    found ??= probe(send, origin, init);
    return found;
  };
  return async (url, init) => {
    if (new URL(url).origin !== origin) return send(url, init);
    const response = await send(url, init).catch(async (error: unknown) => {
      if (!mayBeTls(error) || !(await speaksTls(init))) throw error;
      throw tlsSpoken(error);
    });
    if (response.status !== 400 || !(await speaksTls(init))) return response;
    await discard(response);
    throw tlsSpoken();
  };
}

function mayBeTls(error: unknown): boolean {
  return isConnectionCut(error) || (networkCode(error)?.startsWith('HPE_') ?? false);
}

function tlsSpoken(cause?: unknown): Error {
  return Object.assign(new Error('the server speaks TLS', { cause }), { code: speaksTlsCode });
}

/** Asks by HTTPS. A response, or a certificate that is not trusted, tells that the server speaks TLS. */
async function probe(send: Fetch, origin: string, { addresses }: FetchInit): Promise<boolean> {
  const url = `${origin.replace(/^http:/, 'https:')}/v2/`;
  const signal = AbortSignal.timeout(probeMs);
  try {
    await discard(
      await send(url, { method: 'GET', redirect: 'manual', signal, ...(addresses ? { addresses } : {}) }),
    );
    return true;
  } catch (error) {
    return isOfHandshake(networkCode(error) ?? '');
  }
}

/** Whether an error comes from a TLS handshake that both ends took part in. */
function isOfHandshake(code: string): boolean {
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') return false;
  return /^(?:ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/.test(code);
}
