import { createServer } from 'node:http';
import { digestOf } from '../../converters/digest.ts';

/**
 * A registry that takes every push and stores nothing, for the costs of the way to it: `push-sink.ts <port>`. It reads
 * all bytes, and hashes manifests alone.
 */
createServer((request, response) => {
  const { method = '', url = '' } = request;
  const answer = (status: number, headers: Record<string, string> = {}) =>
    response.writeHead(status, { 'Content-Length': 0, ...headers }).end();
  if (method === 'POST') {
    request.resume();
    return void answer(202, { Location: `${url.replace(/\/$/, '')}/1` });
  }
  if (method !== 'PUT') return void answer(200);
  const isManifest = url.includes('/manifests/');
  const chunks: Uint8Array[] = [];
  request.on('data', (chunk: Uint8Array) => void (isManifest && chunks.push(chunk)));
  request.on('end', () =>
    answer(201, isManifest ? { 'Docker-Content-Digest': digestOf(Buffer.concat(chunks)) } : {}),
  );
}).listen(Number(process.argv[2]), '127.0.0.1');
