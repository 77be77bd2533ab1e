import { gunzipSync } from 'node:zlib';
import { rawRequest } from './raw-http.ts';
import type { V1Http } from './v1-session.ts';

/**
 * API v1 over a real socket, with only the headers that the client sends. Go's transport asks for gzip by itself and
 * decompresses unseen, so this decompresses too: Cloudflare's edge compresses JSON.
 * @param host the Host header; the address by default.
 */
export function v1OverSocket(port: number, host?: string): V1Http {
  return async (method, path, headers) => {
    const answer = await rawRequest({ port, method, path, headers, ...(host === undefined ? {} : { host }) });
    const compressed = answer.header('Content-Encoding') === 'gzip';
    return { ...answer, body: compressed ? new Uint8Array(gunzipSync(answer.body)) : answer.body };
  };
}
