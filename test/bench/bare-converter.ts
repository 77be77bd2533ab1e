import { Agent, get } from 'node:http';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Form, IndexForm } from '../../converters/conversion.ts';
import { generateSigningKey } from '../../converters/crypto/signing-key.ts';
import { convertImage } from '../../converters/images/convert-image.ts';
import { convertIndex } from '../../converters/indexes/convert-index.ts';
import type { ConversionPorts } from '../../converters/ports.ts';
import { readManifest } from '../../converters/read.ts';

/**
 * The least that a proxy with these converters can be: a bare Hono route that fetches what a conversion asks for,
 * converts, and sends the bytes. It checks no right, remembers nothing but configs, and knows one form.
 */
const [port = '0', upstream = '', form = 'schema1'] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 6 });

function fetchBytes(path: string): Promise<{ bytes: Buffer; type: string }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: Number(upstream), path, agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => {
        if (answer.statusCode !== 200) return reject(new Error(`${path}: ${answer.statusCode}`));
        resolve({ bytes: Buffer.concat(chunks), type: answer.headers['content-type'] ?? '' });
      });
    }).once('error', reject);
  });
}

const key = generateSigningKey();
const blobs = new Map<string, Promise<Uint8Array>>();

function portsOf(repository: string): ConversionPorts {
  const read = async (kind: string, digest: string) =>
    (await fetchBytes(`/v2/${repository}/${kind}/${digest}`)).bytes;
  return {
    fetchManifest: ({ digest }) => read('manifests', digest),
    fetchBlob({ digest }) {
      const known = blobs.get(digest) ?? read('blobs', digest);
      blobs.set(digest, known);
      return known;
    },
    sniffLayer: async () => 'gzip',
    layerFacts: () => Promise.reject(new Error('no layer is read here')),
    signingKey: () => key,
  };
}

const app = new Hono();
app.get('/v2/:repository/manifests/:reference', async (context) => {
  const { repository, reference } = context.req.param();
  const { bytes, type } = await fetchBytes(`/v2/${repository}/manifests/${reference}`);
  const model = readManifest(bytes, type);
  const conversion = { ports: portsOf(repository), name: repository, tag: reference, unpackZstd: false };
  const converted =
    model.kind === 'image'
      ? await convertImage(model, form as Form, conversion)
      : await convertIndex(model, form as IndexForm, conversion);
  const { body, mediaType, digest } = converted;
  const headers = { 'Content-Type': mediaType, 'Docker-Content-Digest': digest };
  return new Response(new Uint8Array(body), { headers });
});
serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' });
