import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { concatenate } from '../../converters/bytes.ts';
import { digestOf } from '../../converters/digest.ts';
import { type Listening, listen } from './listen.ts';

/** The treatment of the body of one PUT or PATCH. */
export interface BodyTreatment {
  /** The registry breaks the connection after this many bytes of the body. */
  readonly cutAfter?: number;
  /** The registry gives up the upload when it breaks, as docker-registry 2.8 does. */
  readonly forgets?: boolean;
  /** The status that the body is answered with; it is read first. */
  readonly status?: number;
}

export interface UploadRegistry extends Listening {
  /** Method, path without its ids, and `Content-Range`, of each request that writes or asks for an upload. */
  readonly requests: readonly string[];
  /** The blobs by digest. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** The manifests by `<repository>:<reference>`. */
  readonly manifests: ReadonlyMap<string, Uint8Array>;
  /** The values of `Authorization` that came. */
  readonly authorizations: ReadonlySet<string>;
  /** The uploads that are neither complete nor cancelled. */
  readonly open: ReadonlyMap<string, Uint8Array>;
}

export interface UploadRegistryOptions {
  /** For each body, in the order of the requests; later ones are read and taken. */
  readonly bodies?: readonly BodyTreatment[];
  /** The status of a request for a mount; 201 for a blob that is there by default. */
  readonly mountStatus?: number;
  /** Called after each chunk of a body; the next one is read after its promise. */
  readonly pauses?: () => Promise<void>;
}

/** A registry over sockets that takes uploads in parts, by distribution-spec 1.1, and breaks them as a script says. */
export async function startUploadRegistry({
  bodies = [],
  mountStatus,
  pauses,
}: UploadRegistryOptions = {}): Promise<UploadRegistry> {
  const requests: string[] = [];
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, Uint8Array>();
  const open = new Map<string, Uint8Array>();
  const authorizations = new Set<string>();
  /** The blobs of each repository, as `<repository> <digest>`. */
  const owned = new Set<string>();
  let seen = 0;
  let begun = 0;

  /** @returns undefined where the connection was broken. */
  async function bodyOf(
    request: IncomingMessage,
    keep: (bytes: Uint8Array) => void,
    { cutAfter }: BodyTreatment,
  ) {
    let length = 0;
    for await (const chunk of request) {
      const room = (cutAfter ?? Number.POSITIVE_INFINITY) - length;
      keep(new Uint8Array(chunk).subarray(0, Math.max(0, room)));
      length += chunk.length;
      await pauses?.();
      if (length >= (cutAfter ?? Number.POSITIVE_INFINITY)) {
        request.socket.resetAndDestroy();
        return undefined;
      }
    }
    return length;
  }

  async function upload(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const id = url.pathname.split('/').at(-1) ?? '';
    const { method = '', headers } = request;
    const range = headers['content-range'] === undefined ? '' : ` ${headers['content-range']}`;
    requests.push(`${method} upload${range}`);
    const held = open.get(id);
    if (held === undefined) return void response.writeHead(404).end();
    if (method === 'DELETE') {
      open.delete(id);
      return void response.writeHead(204).end();
    }
    if (method === 'GET') {
      return void response
        .writeHead(204, { Range: `0-${Math.max(0, held.length - 1)}`, Location: url.pathname })
        .end();
    }
    const first = Number(/^(\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? held.length);
    if (first !== held.length) return void response.writeHead(416).end();
    const isEmpty = headers['content-length'] === '0';
    const treatment = (isEmpty ? undefined : bodies[seen]) ?? {};
    if (!isEmpty) seen += 1;
    const chunks: Uint8Array[] = [held];
    const length = await bodyOf(request, (bytes) => chunks.push(bytes), treatment).catch(() => undefined);
    if (open.has(id)) open.set(id, concatenate(chunks));
    if (treatment.status !== undefined) return void response.writeHead(treatment.status).end();
    if (length === undefined) {
      if (treatment.forgets) open.delete(id);
      return;
    }
    if (method === 'PATCH') return void response.writeHead(202, { Location: url.pathname }).end();
    const bytes = concatenate(chunks);
    if (digestOf(bytes) !== url.searchParams.get('digest')) return void response.writeHead(400).end();
    open.delete(id);
    blobs.set(digestOf(bytes), bytes);
    owned.add(`${repositoryOf(url)} ${digestOf(bytes)}`);
    response.writeHead(201).end();
  }

  function begin(response: ServerResponse, url: URL): void {
    const mount = url.searchParams.get('mount');
    requests.push(mount === null ? 'POST upload' : `POST mount from ${url.searchParams.get('from')}`);
    const isThere = owned.has(`${url.searchParams.get('from')} ${mount}`);
    const status = mount === null ? 202 : (mountStatus ?? (isThere ? 201 : 202));
    if (status === 201) owned.add(`${repositoryOf(url)} ${mount}`);
    if (status !== 202) return void response.writeHead(status).end();
    begun += 1;
    open.set(`u${begun}`, new Uint8Array());
    response.writeHead(202, { Location: `${url.pathname}u${begun}` }).end();
  }

  async function manifest(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const [, repository, reference = ''] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(url.pathname) ?? [];
    const key = `${repository}:${reference}`;
    if (request.method === 'PUT') {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(new Uint8Array(chunk));
      requests.push(`PUT manifest ${reference}`);
      manifests.set(key, concatenate(chunks));
      manifests.set(`${repository}:${digestOf(concatenate(chunks))}`, concatenate(chunks));
      return void response.writeHead(201).end();
    }
    const found = manifests.get(key);
    if (found === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { 'docker-content-digest': digestOf(found), 'content-length': found.length });
    response.end(request.method === 'HEAD' ? undefined : found);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://registry.test');
    if (request.headers.authorization !== undefined) authorizations.add(request.headers.authorization);
    if (url.pathname === '/v2/') return void response.end('{}');
    if (url.pathname.includes('/manifests/')) return manifest(request, response, url);
    if (url.pathname.endsWith('/blobs/uploads/')) return begin(response, url);
    if (url.pathname.includes('/blobs/uploads/')) return upload(request, response, url);
    const digest = url.pathname.split('/').at(-1) ?? '';
    const found = owned.has(`${repositoryOf(url)} ${digest}`) ? blobs.get(digest) : undefined;
    if (found === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-length': found.length });
    response.end(request.method === 'HEAD' ? undefined : found);
  }

  const server = createServer((request, response) => void answer(request, response));
  return { ...(await listen(server)), requests, blobs, manifests, open, authorizations };
}

function repositoryOf({ pathname }: URL): string {
  return /^\/v2\/(.+?)\/blobs\//.exec(pathname)?.[1] ?? '';
}
