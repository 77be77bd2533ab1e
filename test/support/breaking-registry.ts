import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { gzip } from '../../src/sample-registry/gzip.ts';
import { zstd } from '../../src/sample-registry/zstd.ts';
import { type Listening, listen } from './listen.ts';
import { compressedImage } from './packed-image.ts';
import { firstBytes } from './scripted-upstream.ts';
import type { WireServer } from './wire-server.ts';

/** A response to one request for a layer. */
export interface LayerAnswer {
  /** 206 for a request with a range, and 200 otherwise, by default. */
  readonly status?: number;
  /** Replaces the header of the status; `null` leaves it out. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** The layer as it is sent; the right bytes by default. */
  readonly bytes?: Uint8Array;
  /** The number of bytes after which the connection breaks; all bytes by default. */
  readonly breakAfter?: number;
  /** The response stands still after this number of bytes until the promise is settled. */
  readonly hold?: { readonly after: number; readonly until: Promise<void> };
  /** The connection breaks after the last byte, before the end of a body without a length. */
  readonly breaksAtEnd?: boolean;
  /** The break is a TCP reset, which drops bytes that its receiver has not read; by default, it is an early end. */
  readonly resets?: boolean;
}

/** @param nth the number of the request, from 0. @param from the first requested byte. */
export type LayerScript = (nth: number, from: number, layer: Uint8Array) => LayerAnswer;

export interface BreakingImage {
  readonly repository: string;
  readonly compressed: Uint8Array<ArrayBuffer>;
  readonly tar: Uint8Array;
  /** The path and `Range` of each GET of the layer, and the number of bytes that were written to its connection. */
  readonly requests: readonly { readonly url: string; readonly range: string | undefined; sent: number }[];
}

export interface BreakingRegistry extends Listening {
  /** Adds a repository with an image of one layer, whose requests a script answers. */
  add(
    repository: string,
    compression: 'gzip' | 'zstd',
    script: LayerScript,
    redirects?: boolean,
  ): BreakingImage;
}

const layerBytes = 300_000;

/** A registry over sockets that breaks off layers as scripts say. */
async function startBreakingRegistry(): Promise<BreakingRegistry> {
  const images = new Map<string, ReturnType<typeof imageOf>>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    const { pathname, searchParams } = new URL(url, 'http://registry.test');
    const image = [...images.values()].find((each) => pathname.includes(`/${each.repository}/`));
    if (image === undefined || pathname === '/v2/') return void response.end('{}');
    const isLayer = pathname.includes(digestOf(image.compressed));
    // The first bytes are read in the background, at any time: scripts do not count that request.
    if (isLayer && headers.range === firstBytes) {
      const first = image.compressed.subarray(0, 512);
      response.writeHead(206, { 'content-range': `bytes 0-${first.length - 1}/${image.compressed.length}` });
      return void response.end(first);
    }
    if (isLayer && method === 'GET') {
      const ticket = searchParams.get('ticket');
      if (image.redirects && ticket === null) {
        image.requests.push({ url, range: headers.range, sent: 0 });
        response.writeHead(307, { Location: `/storage${pathname}?ticket=${image.requests.length}` });
        return void response.end();
      }
      if (image.redirects && Number(ticket) !== image.requests.length)
        return void response.writeHead(403).end();
      return sendLayer(image, headers.range, url, response);
    }
    const scripted = await image.documents(
      new Request(`http://registry.test${url}`),
      new URL(url, 'http://x'),
    );
    const bytes = new Uint8Array(await (scripted ?? new Response()).arrayBuffer());
    const headers_ = {
      ...Object.fromEntries(scripted?.headers ?? []),
      'content-length': String(bytes.length),
    };
    response.writeHead(scripted?.status ?? 404, headers_);
    response.end(method === 'HEAD' ? undefined : bytes);
  }

  const server = createServer((request, response) => void answer(request, response));
  return {
    ...(await listen(server)),
    add(repository, compression, script, redirects = false) {
      const image = imageOf(repository, compression, script, redirects);
      images.set(repository, image);
      return image;
    },
  };
}

function imageOf(repository: string, compression: 'gzip' | 'zstd', script: LayerScript, redirects: boolean) {
  const tar = contentOf(repository);
  const compressed = new Uint8Array(
    compression === 'gzip' ? gzip(tar) : zstd(tar, { contentSize: true, frames: 5 }),
  );
  const mediaType = `application/vnd.oci.image.layer.v1.tar+${compression}`;
  const documents = compressedImage(repository, [{ mediaType, compressed, tar }]);
  const requests: { url: string; range: string | undefined; sent: number }[] = [];
  return { repository, compressed, tar, documents, requests, script, redirects };
}

/** Bytes of a plain tar's length that differ between repositories: facts of layers are cached by digest. */
function contentOf(text: string): Uint8Array {
  const bytes = new Uint8Array(layerBytes);
  let seed = [...text].reduce((sum, each) => Math.imul(sum, 31) + each.charCodeAt(0), 7) >>> 0;
  for (let at = 0; at < bytes.length; at += 1) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = seed >>> 16;
  }
  return bytes;
}

function sendLayer(
  { compressed, requests, script, redirects }: ReturnType<typeof imageOf>,
  range: string | undefined,
  url: string,
  response: ServerResponse,
): void {
  const nth = redirects ? requests.length - 1 : requests.length;
  const from = Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
  const request = redirects ? requests.at(-1) : { url, range, sent: 0 };
  if (request && !redirects) requests.push(request);
  const { status = range === undefined ? 200 : 206, headers = {}, ...rest } = script(nth, from, compressed);
  const { bytes = compressed } = rest;
  const body = status === 206 ? bytes.subarray(from) : status === 200 ? bytes : new Uint8Array();
  const usual = {
    'content-length': String(body.length),
    'accept-ranges': 'bytes',
    'content-range': status === 206 ? `bytes ${from}-${bytes.length - 1}/${bytes.length}` : null,
  };
  const lines = Object.entries({ ...usual, ...headers }).filter(([, value]) => value !== null);
  response.writeHead(status, Object.fromEntries(lines) as Record<string, string>);
  const { breakAfter = body.length } = rest;
  if (request) request.sent = Math.min(breakAfter, body.length);
  if (rest.hold) {
    const { after, until } = rest.hold;
    response.write(body.subarray(0, after));
    return void until.then(() => response.end(body.subarray(after)));
  }
  if (breakAfter >= body.length && !rest.breaksAtEnd) return void response.end(body);
  response.flushHeaders();
  response.write(body.subarray(0, breakAfter));
  const { socket } = response;
  // Node drops the bytes of a body that are in its buffer when the body breaks off.
  setTimeout(() => (rest.resets ? socket?.resetAndDestroy() : socket?.end()), 60);
}

/** Starts a registry and a server in front of it for the tests of a block. Both are there from its first test on. */
export function useBreakingRegistry(start: (url: string) => Promise<WireServer>): {
  readonly registry: BreakingRegistry;
  readonly server: WireServer;
} {
  let registry: BreakingRegistry;
  let server: WireServer;
  beforeAll(async () => {
    registry = await startBreakingRegistry();
    server = await start(registry.url);
  }, 70_000);
  afterAll(async () => {
    await server?.stop();
    await registry?.stop();
  });
  return {
    get registry() {
      return registry;
    },
    get server() {
      return server;
    },
  };
}
