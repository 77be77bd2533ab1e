import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildLargeLayer, buildSiteImage, type SiteContents, type SiteImage } from './site-images.ts';

/** Requests that a registry got since its start, or since `forget`. */
export interface UpstreamRequests {
  pings: number;
  manifestHeads: number;
  manifestGets: number;
  /** Requests for configs and layers, as a whole. */
  blobGets: number;
  /** Requests for the first bytes of layers. */
  blobProbes: number;
}

export interface SiteUpstream {
  readonly url: string;
  readonly requests: UpstreamRequests;
  image(number: number): SiteImage;
  /** The digest of a layer that no image has (`largeLayerBytes`). */
  readonly largeLayer: string;
  forget(): void;
  stop(): void;
}

const noRequests = { pings: 0, manifestHeads: 0, manifestGets: 0, blobGets: 0, blobProbes: 0 };

/** The path of the manifest of an image: a repository has ten tags. */
export function manifestPath(number: number): string {
  return `${repositoryPath(number)}/manifests/v${number}`;
}

export function blobPath(number: number, digest: string): string {
  return `${repositoryPath(number)}/blobs/${digest}`;
}

function repositoryPath(number: number): string {
  return `/v2/site/app${Math.floor(number / 10)}`;
}

/** Starts a registry in memory that has an image for each number, and counts its requests. */
export async function startSiteUpstream(): Promise<SiteUpstream> {
  const contents: SiteContents = new Map();
  const images = new Map<number, SiteImage>();
  const requests: UpstreamRequests = { ...noRequests };
  const image = (number: number) => {
    const found = images.get(number) ?? buildSiteImage(number, contents);
    images.set(number, found);
    return found;
  };
  const server = createServer((request, response) => {
    const { method, url = '' } = request;
    if (url === '/v2/') {
      requests.pings += 1;
      return void response
        .writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 2 })
        .end('{}');
    }
    const [, kind, reference = ''] = /^\/v2\/site\/app\d+\/(manifests|blobs)\/(.+)$/.exec(url) ?? [];
    if (kind === 'manifests') requests[method === 'HEAD' ? 'manifestHeads' : 'manifestGets'] += 1;
    else requests[request.headers.range === undefined ? 'blobGets' : 'blobProbes'] += 1;
    const digest = reference.startsWith('v') ? image(Number(reference.slice(1))).manifest : reference;
    send(request, response, digest, contents);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    image,
    largeLayer: buildLargeLayer(contents),
    forget: () => void Object.assign(requests, noRequests),
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function send(
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  digest: string,
  contents: SiteContents,
): void {
  const content = contents.get(digest);
  if (!content) return void response.writeHead(404).end();
  const length = content.pieces.reduce((sum, { length }) => sum + length, 0);
  const fields = { 'Content-Type': content.type, 'Docker-Content-Digest': digest };
  const last = /^bytes=0-(\d+)$/.exec(headers.range ?? '')?.[1];
  if (last !== undefined) {
    const part = content.pieces[0]?.subarray(0, Number(last) + 1);
    const range = `bytes 0-${last}/${length}`;
    response.writeHead(206, { ...fields, 'Content-Range': range, 'Content-Length': part?.length ?? 0 });
    return void response.end(part);
  }
  response.writeHead(200, { ...fields, 'Content-Length': length });
  if (method !== 'HEAD') for (const piece of content.pieces) response.write(piece);
  response.end();
}
