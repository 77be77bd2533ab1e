import { gunzipSync } from 'node:zlib';
import { rawRequest } from './raw-http.ts';
import type { V1Http } from './v1-session.ts';

/**
 * API v1 over a real socket, with no header that the client does not send. Go's transport, which has asked for it
 * unasked, undoes gzip unseen: Cloudflare's edge packs JSON.
 */
export function v1OverSocket(port: number): V1Http {
  return async (method, path, headers) => {
    const answer = await rawRequest({ port, method, path, headers });
    const compressed = answer.header('Content-Encoding') === 'gzip';
    return { ...answer, body: compressed ? new Uint8Array(gunzipSync(answer.body)) : answer.body };
  };
}
