import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly object[];
}

const encoder = new TextEncoder();
const { ociManifest, ociIndex } = mediaTypes;
const stored = await createSampleRegistry().fetch('http://sample.test/v2/sample/oci/manifests/latest');
const goodBytes = new Uint8Array(await stored.arrayBuffer());
const goodText = new TextDecoder().decode(goodBytes);
const good = JSON.parse(goodText) as Manifest;
const clients = Object.keys(manifestRequestHeaders) as OldClient[];

/** Attacks that an attacker can put into any string of a pushed image. */
const evil: Readonly<Record<string, string>> = {
  'an injected header': '\r\nX-Evil: 1',
  'a NUL character': '\u0000',
  'terminal escape sequences': '\u001b[31m\u009b31m',
  'the end of a quoted string': '"; lost="',
  'a change of the writing direction': '\u202e\u2028',
  'a lone surrogate': '\ud800',
  'a very long text': 'x'.repeat(5_000),
};

function index(platform: object, more: object = {}): string {
  const { length: size } = goodBytes;
  const entry = { mediaType: ociManifest, digest: digestOf(goodBytes), size, platform, ...more };
  return JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [entry] });
}

const linux = { os: 'linux', architecture: 'amd64' };

/** A document for each field that holds a string. */
const places: Readonly<Record<string, (text: string) => string>> = {
  'the type of the manifest': (text) => JSON.stringify({ ...good, mediaType: ociManifest + text }),
  'an unknown type': (text) => JSON.stringify({ ...good, mediaType: `application/x${text}` }),
  'the type of the config': (text) =>
    JSON.stringify({ ...good, config: { ...good.config, mediaType: `a/b${text}` } }),
  'the type of a layer': (text) =>
    JSON.stringify({ ...good, layers: [{ ...good.layers[0], mediaType: `a/b${text}` }] }),
  'the type of an artifact': (text) => JSON.stringify({ ...good, artifactType: `a/b${text}` }),
  'an annotation': (text) => JSON.stringify({ ...good, annotations: { [`k${text}`]: `v${text}` } }),
  'a key': (text) => JSON.stringify({ ...good, [`k${text}`]: 1 }),
  'a digest': (text) =>
    JSON.stringify({ ...good, config: { ...good.config, digest: good.config.digest + text } }),
  'the system of a platform': (text) => index({ ...linux, os: `linux${text}` }),
  'the variant of a platform': (text) => index({ ...linux, variant: `v1${text}` }),
  'the version of a platform': (text) => index({ ...linux, 'os.version': `1${text}` }),
  'an address': (text) =>
    index(linux, { urls: [`http://127.0.0.1:1/${text}`], annotations: { [text]: text } }),
};

/** The response to a client that pulls the document. */
async function pull(document: string, client: OldClient) {
  const bytes = encoder.encode(document);
  const digest = digestOf(bytes);
  const type = document.includes('"manifests"') ? ociIndex : ociManifest;
  const upstream = scriptedUpstream(async (request, url) => {
    if (!url.pathname.startsWith('/v2/evil/app/')) return undefined;
    const isMeant = url.pathname.endsWith('/latest') || url.pathname.endsWith(digest);
    const headers = { 'content-type': type, 'docker-content-digest': digest };
    if (isMeant) return new Response(request.method === 'HEAD' ? null : bytes, { headers });
    const path = url.pathname.replace('evil/app', 'sample/oci');
    return createSampleRegistry().fetch(`http://sample.test${path}`, { headers: request.headers });
  });
  return testApp({}, upstream.fetch).get('/v2/evil/app/manifests/latest', manifestRequestHeaders[client]);
}

describe.each(Object.entries(evil))('%s in a document', (_, text) => {
  it.each(Object.entries(places))('as %s has no effect on headers and messages', async (_place, write) => {
    for (const client of clients) {
      const response = await pull(write(text), client);
      expect(response.status, client).not.toBe(500);
      for (const [name, value] of response.headers) {
        expect(name).not.toBe('x-evil');
        expect(value, name).toMatch(/^[\x20-\x7e]{0,600}$/);
      }
      if (response.status < 400) continue;
      const { message } = response.error();
      expect(message).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      expect(message.length).toBeLessThan(1_500);
    }
  });
});

describe('a document of', () => {
  const deep = 100_000;
  it.each([
    [
      'keys of prototypes',
      goodText.replace('{', '{"__proto__":{"layers":[]},"constructor":{"prototype":{"x":1}},'),
    ],
    ['brackets that are never closed', '['.repeat(2 * deep)],
    ['brackets in brackets', `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`],
    ['infinite sizes', goodText.replaceAll(/"size":\s*\d+/g, '"size":1e999')],
    ['negative sizes', goodText.replaceAll(/"size":\s*\d+/g, '"size":-1')],
    ['sizes with a fraction', goodText.replaceAll(/"size":\s*\d+/g, '"size":1.5')],
    ['sizes that no number holds', goodText.replaceAll(/"size":\s*\d+/g, `"size":${'9'.repeat(40)}`)],
    ['a NUL character before it', `\u0000${goodText}`],
    ['two documents', goodText + goodText],
    ['duplicate keys', goodText.replace('{', '{"layers":[],')],
  ])('%s is converted or refused, and pollutes no prototype', async (_, document) => {
    for (const client of clients) {
      const { status } = await pull(document, client);
      expect([200, 404, 502], `${client} ${status}`).toContain(status);
    }
    expect(({} as Record<string, unknown>).layers ?? ({} as Record<string, unknown>).x).toBeUndefined();
  });
});
