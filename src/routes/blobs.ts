import type { Digest } from '../../converters/digest.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { emptyLayer } from '../../converters/schema1/empty-layer.ts';
import { failureOf, pick } from '../stored/upstream-answer.ts';
import { refuseEncoded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { apiVersion, bytesAnswer, matchesEtag } from './answer.ts';
import type { ClientRequest } from './client-request.ts';
import { byteRange } from './range.ts';

export interface BlobRoute {
  readonly client: UpstreamClient;
  /** Hands storage redirects on to the client instead of following them. */
  readonly redirect: boolean;
}

/** Headers of a client's request that upstream answers better than the proxy could. */
const passedOn = ['range', 'if-range', 'if-none-match', 'if-modified-since'];
const passedBack = [
  'content-length',
  'content-range',
  'accept-ranges',
  'etag',
  'last-modified',
  'cache-control',
];

/** `GET` and `HEAD /v2/<name>/blobs/<digest>`: nothing is held, the bytes go from upstream to the client. */
export async function answerBlob(
  { client, redirect }: BlobRoute,
  request: ClientRequest,
  name: RepositoryName,
  digest: Digest,
): Promise<Response> {
  const head = request.method === 'HEAD';
  if (digest === emptyLayer.digest) return answerEmptyLayer(request, head);
  const headers: Record<string, string> = {};
  for (const header of passedOn) {
    const value = request.headers.get(header);
    if (value !== null) headers[header] = value;
  }
  const { signal, credential } = request.caller;
  const { response } = await client.request({
    method: head ? 'HEAD' : 'GET',
    path: `/v2/${name}/blobs/${digest}`,
    repository: name,
    credential,
    headers,
    ...(signal ? { signal } : {}),
    redirects: redirect ? 'return' : 'follow',
  });
  if (response.ok) await refuseEncoded(response, `the blob ${digest}`);
  const passed = response.ok || [304, 416].includes(response.status) || isRedirect(response);
  if (!passed) throw await failureOf(response, `blob ${digest} of ${name}`, 'BLOB_UNKNOWN');
  return new Response(head || response.status === 304 ? null : response.body, {
    status: response.status,
    headers: {
      ...apiVersion,
      ...(response.ok ? { 'Content-Type': 'application/octet-stream' } : {}),
      ...pick(response, isRedirect(response) ? ['location'] : passedBack),
      'Docker-Content-Digest': digest,
    },
  });
}

function isRedirect(response: Response): boolean {
  return [301, 302, 303, 307, 308].includes(response.status);
}

/** Schema 1 names it for every entry without content, and upstream need not have it. */
function answerEmptyLayer(request: ClientRequest, head: boolean): Response {
  const { bytes, digest } = emptyLayer;
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Accept-Ranges': 'bytes',
  };
  if (matchesEtag(request.headers.get('if-none-match'), digest)) {
    return new Response(null, { status: 304, headers: { ...apiVersion, ...headers } });
  }
  const range = head ? undefined : byteRange(request.headers.get('range'), bytes.length);
  if (range === undefined) return bytesAnswer(bytes, headers, head);
  if (range === 'unsatisfiable') {
    const unsatisfied = { ...apiVersion, ...headers, 'Content-Range': `bytes */${bytes.length}` };
    return new Response(null, { status: 416, headers: unsatisfied });
  }
  const part = bytes.subarray(range.start, range.end + 1);
  const contentRange = `bytes ${range.start}-${range.end}/${bytes.length}`;
  const answer = bytesAnswer(part, { ...headers, 'Content-Range': contentRange }, false);
  return new Response(answer.body, { status: 206, headers: answer.headers });
}
