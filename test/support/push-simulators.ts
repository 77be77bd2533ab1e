import { digestOf } from '../../converters/digest.ts';
import type { PushTree, TreeDocument } from './push-tree.ts';
import { type RawRequest, type RawResponse, rawRequest } from './raw-http.ts';

/** An engine that pushes with the very bytes of its requests. */
export interface PushSimulator {
  readonly name: string;
  /**
   * @returns the response to the manifest that gets the tag; undefined where the engine finds it there.
   * @throws Error where the engine gives up.
   */
  push(port: number, repository: string, tag: string, tree: PushTree): Promise<RawResponse | undefined>;
}

type Lines = readonly (readonly [name: string, value: string])[];

const gzip = ['Accept-Encoding', 'gzip'] as const;

function sender(port: number, userAgent: string) {
  return async (
    method: string,
    location: string,
    lines: Lines = [],
    body?: Uint8Array,
  ): Promise<RawResponse> => {
    const isUrl = /^https?:/.test(location);
    const url = isUrl ? new URL(location) : undefined;
    const path = url ? `${url.pathname}${url.search}` : location;
    // Go writes Host and User-Agent first, and Accept-Encoding last, which HEAD does not have.
    const headers = [['User-Agent', userAgent], ...lines, ...(method === 'HEAD' ? [] : [gzip])] as const;
    // Engines have no deadline of their own for a response.
    const request: RawRequest = { port, method, path, headers, deadline: 60_000, ...(body ? { body } : {}) };
    return rawRequest(request);
  };
}

function expectStatus(what: string, { status, body }: RawResponse, ...wanted: readonly number[]): void {
  if (!wanted.includes(status)) throw new Error(`${what}: ${status} ${new TextDecoder().decode(body)}`);
}

const chunked = ['Transfer-Encoding', 'chunked'] as const;

/** A body of one chunk, as Go writes a stream of unknown length. */
function inChunks(bytes: Uint8Array): Uint8Array {
  const text = new TextEncoder();
  const parts = [text.encode(`${bytes.length.toString(16)}\r\n`), bytes, text.encode('\r\n0\r\n\r\n')];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}

type Send = ReturnType<typeof sender>;

/** Docker 1.6 and 1.7 send the digest of each response through their own check (docker 1.6, registry/session_v2.go). */
async function putManifest(send: Send, path: string, manifest: TreeDocument): Promise<RawResponse> {
  const lines = [['Content-Length', String(manifest.bytes.length)]] as const;
  const answer = await send('PUT', path, lines, manifest.bytes);
  expectStatus('manifest', answer, 200, 201, 202);
  const digest = answer.header('Docker-Content-Digest');
  if (digest !== manifest.digest) {
    throw new Error(`registry has ${JSON.stringify(digest)}, computed ${JSON.stringify(manifest.digest)}`);
  }
  return answer;
}

/** Pushes schema 1: the blobs one after the other, then the manifest, without a Content-Type. */
function oldDocker(
  version: string,
  upload: (send: Send, uploads: string, blob: Uint8Array) => Promise<void>,
): PushSimulator {
  return {
    name: `Docker ${version}`,
    async push(port, repository, tag, { blobs, manifests }) {
      const send = sender(port, `docker/${version} go/go1.4.2 git-commit/7c8fca2 os/linux arch/amd64`);
      const base = `/v2/${repository}`;
      expectStatus('ping', await send('GET', '/v2/'), 200);
      for (const blob of blobs) {
        const found = await send('HEAD', `${base}/blobs/${digestOf(blob)}`);
        expectStatus('check of a blob', found, 200, 404);
        if (found.status === 404) await upload(send, `${base}/blobs/uploads/`, blob);
      }
      const [manifest] = manifests;
      if (!manifest) throw new Error('no manifest');
      return putManifest(send, `${base}/manifests/${tag}`, manifest);
    },
  };
}

const begin = async (send: Send, uploads: string) => {
  const begun = await send('POST', uploads, [['Content-Length', '0']]);
  expectStatus('upload', begun, 202);
  return begun.header('Location') ?? '';
};

/** docker 1.6.2, registry/session_v2.go, PutV2ImageBlob: the whole blob by PUT. */
const docker16 = oldDocker('1.6.2', async (send, uploads, blob) => {
  const location = await begin(send, uploads);
  expectStatus(
    'blob',
    await send('PUT', withDigest(location, digestOf(blob)), [chunked], inChunks(blob)),
    201,
  );
});

/** docker 1.9.1 with distribution's client (registry/client/blob_writer.go): PATCH, then PUT without a body. */
const docker19 = oldDocker('1.9.1', async (send, uploads, blob) => {
  const patched = await send('PATCH', await begin(send, uploads), [chunked], inChunks(blob));
  expectStatus('blob', patched, 202);
  const location = withDigest(patched.header('Location') ?? '', digestOf(blob));
  expectStatus('end of the upload', await send('PUT', location, [['Content-Length', '0']]), 201);
});

/** containerd 2 (core/remotes/docker/pusher.go): it compares the digest of each manifest's response. */
const containerd2: PushSimulator = {
  name: 'containerd 2',
  async push(port, repository, tag, { blobs, manifests }) {
    const send = sender(port, 'containerd/2.0.0');
    const base = `/v2/${repository}`;
    const isThere = async (path: string, mediaType: string) => {
      const found = await send('HEAD', path, [['Accept', `${mediaType}, */*`]]);
      expectStatus('check', found, 200, 404);
      return found;
    };
    for (const blob of blobs) {
      const digest = digestOf(blob);
      if ((await isThere(`${base}/blobs/${digest}`, 'application/octet-stream')).status === 200) continue;
      const location = withDigest(await begin(send, `${base}/blobs/uploads/`), digest);
      const lines = [
        ['Content-Length', String(blob.length)],
        ['Content-Type', 'application/octet-stream'],
      ] as const;
      expectStatus('blob', await send('PUT', location, lines, blob), 200, 201, 204);
    }
    let last: RawResponse | undefined;
    for (const [index, { digest, mediaType, bytes }] of manifests.entries()) {
      const path = `${base}/manifests/${index === manifests.length - 1 ? tag : digest}`;
      const found = await isThere(path, mediaType);
      if (found.status === 200 && found.header('Docker-Content-Digest') === digest) continue;
      const lines = [
        ['Content-Length', String(bytes.length)],
        ['Content-Type', mediaType],
      ] as const;
      last = await send('PUT', path, lines, bytes);
      expectStatus('manifest', last, 200, 201, 204);
      const actual = last.header('Docker-Content-Digest');
      if (actual !== digest) throw new Error(`got digest ${actual}, expected ${digest}`);
    }
    return last;
  },
};

export const oldPushers: readonly PushSimulator[] = [docker16, docker19];
export const newPusher = containerd2;
