import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../converters/digest.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { listen } from './listen.ts';
import { requestText } from './request-text.ts';

export interface SampleServer {
  readonly url: string;
  /** Method and path of each request, in order: `GET /v2/`. */
  readonly requests: string[];
  stop(): Promise<void>;
}

/** A layer that is too large for any buffer on the way and arrives in many pieces. */
const largeBytes = new Uint8Array(3 * 1024 * 1024).map((_, index) => (index * 31 + (index >> 12)) % 251);
export const largeBlob = {
  bytes: largeBytes,
  digest: digestOf(largeBytes),
  path: `/v2/wire/large/blobs/${digestOf(largeBytes)}`,
};

/**
 * Serves the samples and one large blob over a real socket, as an upstream for tests on the wire.
 * @param port a free port by default.
 * @param host the address to listen on.
 */
export async function startSampleServer(port = 0, host = '127.0.0.1'): Promise<SampleServer> {
  const samples = createSampleRegistry();
  const requests: string[] = [];
  const server = createServer(async ({ method = 'GET', url = '/', headers }, response) => {
    requests.push(requestText(method, url, headers.range));
    if (url === largeBlob.path) return sendLarge(response, method, headers.range);
    const sent = new Headers();
    for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') sent.set(name, value);
    const answer = await samples.fetch(`http://sample.test${url}`, { method, headers: sent });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  });
  const { url, stop } = await listen(server, port, host);
  return { url, requests, stop };
}

async function sendLarge(response: ServerResponse, method: string, range: string | undefined): Promise<void> {
  const total = largeBlob.bytes.length;
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  const bytes = largeBlob.bytes.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': bytes.length,
    'Accept-Ranges': 'bytes',
    ...(start > 0 ? { 'Content-Range': `bytes ${start}-${total - 1}/${total}` } : {}),
  });
  if (method === 'HEAD') {
    response.end();
    return;
  }
  for (let at = 0; at < bytes.length; at += 256 * 1024) {
    response.write(bytes.subarray(at, at + 256 * 1024));
    await sleep(2);
  }
  response.end();
}
