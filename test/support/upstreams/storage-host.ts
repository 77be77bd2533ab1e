import { createHmac, randomBytes } from 'node:crypto';
import type { Behind } from './behind.ts';
import { withHeaders } from './behind.ts';
import { type LoopbackServer, type Question, type Reply, startLoopback } from './loopback.ts';

export interface StorageHost {
  readonly server: LoopbackServer;
  /** Makes a URL that opens one blob for one method, like one signed for S3. */
  sign(method: string, repository: string, digest: string): string;
}

/**
 * Serves blobs as S3 and CloudFront do: the signed URL is enough to read, and an Authorization beside it gets 400
 * ("Only one auth mechanism allowed", open-policy-agent/opa#6728). A URL signed for GET is not valid for HEAD (403,
 * containerd/stargz-snapshotter#167). The host knows no digests.
 */
export async function startStorageHost(registry: Behind): Promise<StorageHost> {
  const key = randomBytes(16);
  const signatureOf = (method: string, path: string) =>
    createHmac('sha256', key).update(`${method} ${path}`).digest('hex');

  const server = await startLoopback(async (question) => {
    const { pathname, searchParams } = new URL(question.path, 'http://storage.test');
    if (question.headers.authorization !== undefined) {
      return xml(400, 'InvalidArgument', 'Only one auth mechanism allowed');
    }
    if (searchParams.get('X-Amz-Signature') !== signatureOf(question.method, pathname)) {
      return xml(403, 'SignatureDoesNotMatch', 'The signature is for another request');
    }
    return asStorage(await registry.ask({ ...question, path: pathname }));
  });
  return {
    server,
    sign: (method, repository, digest) => {
      const path = `/v2/${repository}/blobs/${digest}`;
      return `${server.url}${path}?X-Amz-Expires=1200&X-Amz-Signature=${signatureOf(method, path)}`;
    },
  };
}

function asStorage(reply: Reply): Reply {
  return withHeaders(reply, {
    'Docker-Content-Digest': undefined,
    'Docker-Distribution-Api-Version': undefined,
    'Cache-Control': undefined,
    'X-Content-Type-Options': undefined,
    ETag: '"0cc175b9c0f1b6a831c399e269772661-1"',
  });
}

function xml(status: number, code: string, message: string): Reply {
  const body = new TextEncoder().encode(`<Error><Code>${code}</Code><Message>${message}</Message></Error>`);
  return {
    status,
    headers: { 'Content-Type': 'application/xml', 'Content-Length': String(body.length) },
    body,
  };
}

/** Redirects a request for a blob that exists; otherwise returns the real registry's response. */
export async function redirectBlob(
  registry: Behind,
  question: Question,
  location: string,
  status = 307,
): Promise<Reply> {
  const found = await registry.ask({ ...question, method: 'HEAD' });
  if (found.status >= 300) return registry.ask(question);
  return { status, headers: { Location: location, 'Content-Length': '0' } };
}
