import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { inertHeaders } from '../../src/http/inert-content.ts';
import { testApp } from '../support/app.ts';
import { type Script, scriptedUpstream } from '../support/scripted-upstream.ts';

const page = '<script>alert(1)</script>';
const manifest = '{"schemaVersion":2,"layers":[],"config":{}}';
const digest = digestOf(new Uint8Array());
const sandbox = ["default-src 'none'; sandbox", 'nosniff'];

/** A registry that answers each request of these paths with a page. */
function hostile(type: string | undefined, status: number, path: RegExp) {
  const script: Script = (_, { pathname }) => {
    if (!path.test(pathname)) return undefined;
    const body = new TextEncoder().encode(pathname.includes('/manifests/') ? manifest : page);
    return new Response(body, { status, headers: type === undefined ? {} : { 'Content-Type': type } });
  };
  return testApp({}, scriptedUpstream(script).fetch);
}

describe('content of a registry that a browser could run', () => {
  it.each([
    ['referrers', 'text/html', 200, 'GET', `/v2/a/b/referrers/${digest}`],
    ['referrers without a type', undefined, 200, 'GET', `/v2/a/b/referrers/${digest}`],
    ['a refusal of a list', 'text/html+json', 400, 'GET', '/v2/a/b/tags/list'],
    ['a manifest', 'image/svg+xml', 200, 'GET', '/v2/a/b/manifests/latest'],
    ['a manifest by HEAD', 'application/xhtml+xml', 200, 'HEAD', '/v2/a/b/manifests/latest'],
    ['a refusal of an upload', 'text/html', 400, 'POST', '/v2/a/b/blobs/uploads/'],
    ['a refusal of a deletion', 'application/xhtml+xml', 400, 'DELETE', `/v2/a/b/blobs/${digest}`],
  ])('is no page of the proxy: %s', async (_, type, status, method, path) => {
    const response = await hostile(type, status, /^\/v2\/a\//).send(method, path, {
      Accept: 'text/html, */*',
    });
    expect([response.header('Content-Security-Policy'), response.header('X-Content-Type-Options')]).toEqual(
      sandbox,
    );
  });

  it('gets no header where its type is inert, or nothing is sent', async () => {
    const app = testApp({}, scriptedUpstream().fetch);
    for (const path of ['manifests/latest', 'tags/list']) {
      const response = await app.get(`/v2/sample/oci/${path}`);
      expect([response.status, response.header('Content-Security-Policy')]).toEqual([200, null]);
    }
  });
});

describe('the types that no browser runs', () => {
  it.each([
    ['application/json', true],
    ['application/json; charset=utf-8', true],
    ['application/problem+json', true],
    ['application/octet-stream', true],
    ['application/vnd.docker.distribution.manifest.v1+prettyjws', true],
    ['application/vnd.oci.image.index.v1+json', true],
    ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', true],
    ['application/vnd.example+xml', false],
    ['application/vnd.example.xml', false],
    ['application/xml', false],
    ['application/xhtml+xml', false],
    ['application/javascript', false],
    ['text/html; json', false],
    ['text/html;x=application/json', false],
    ['application/json, text/html', false],
    ['image/svg+xml', false],
    ['', false],
  ])('%s: %s', (type, isInert) => {
    expect(Object.keys(inertHeaders(type)).length === 0).toBe(isInert);
  });
});
