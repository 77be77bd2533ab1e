import { beforeEach, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { type HeaderLine, manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, scriptedUpstream, specError, type Upstream } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const readsOci = [['Accept', mediaTypes.ociManifest]] as const;
const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;
const bob = ['Authorization', 'Basic Ym9iOnNlY3JldA=='] as const;

let upstream: Upstream;
let app: TestApp;
beforeEach(() => {
  upstream = scriptedUpstream(privateTo(alice[1]));
  app = testApp({}, upstream.fetch);
});

/** Pulls a converted manifest as Alice. @returns its digest as `made`, and the digest of its source as `root`. */
async function convertedForAlice(sample: string, client: readonly HeaderLine[]) {
  const response = await app.get(`/v2/${sample}/manifests/latest`, [...client, alice]);
  expect(response.status).toBe(200);
  const [made = '', root = ''] = ['Docker-Content-Digest', 'Regshift-Source-Digest'].map(
    (name) => response.header(name) ?? '',
  );
  expect(made).not.toBe(root);
  return { made, root, manifest: response.text() };
}

describe('a refusal of converted content names the requested digest, and not the digest of its source', () => {
  it('for a manifest', async () => {
    const { made, root } = await convertedForAlice('sample/oci', docker19);
    const response = await app.get(`/v2/sample/oci/manifests/${made}`, [...docker19, bob]);
    expect(response.status).toBe(401);
    expect(response.error().message).toContain(`manifest ${made} of sample/oci`);
    expect(response.text()).not.toContain(root);
  });

  it('for a config', async () => {
    const { manifest, root } = await convertedForAlice('sample/schema1', readsOci);
    const { config } = JSON.parse(manifest) as { config: { digest: string } };
    const response = await app.get(`/v2/sample/schema1/blobs/${config.digest}`, [bob]);
    expect(response.status).toBe(401);
    expect(response.error().message).toContain(config.digest);
    expect(response.text()).not.toContain(root);
  });

  it('while upstream limits requests or fails', async () => {
    const { made, root } = await convertedForAlice('sample/oci', docker19);
    for (const status of [429, 503]) {
      upstream.follow(() => specError(status, 'AS_SCRIPTED'));
      const response = await app.get(`/v2/sample/oci/manifests/${made}`, [...docker19, bob]);
      expect(response.status).toBe(status === 429 ? 429 : 503);
      expect(response.text()).not.toContain(root);
    }
  });
});
