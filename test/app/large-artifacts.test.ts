import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const { ociManifest, ociIndex, schema2, dockerList } = mediaTypes;

/** An artifact with a layer for each of its files, as ORAS pushes a folder file by file. */
function artifactOf(files: number): Uint8Array<ArrayBuffer> {
  const layers = Array.from({ length: files }, (_, index) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    digest: `sha256:${index.toString(16).padStart(64, '0')}`,
    size: 3,
    annotations: { 'org.opencontainers.image.title': `file-${index}.txt` },
  }));
  const config = {
    mediaType: 'application/vnd.oci.empty.v1+json',
    digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    size: 2,
  };
  return new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      artifactType: 'application/x.files',
      config,
      layers,
    }),
  );
}

/** More values than `limits.jsonValues`. */
const artifact = artifactOf(4_000);
const digest = digestOf(artifact);

/** ORAS names the types that it reads; containerd adds a wildcard; a client of one type names that type. */
const accepts: Readonly<Record<string, string>> = {
  ORAS: [schema2, dockerList, ociIndex, ociManifest, 'application/vnd.oci.artifact.manifest.v1+json'].join(
    ', ',
  ),
  containerd: [schema2, dockerList, ociManifest, ociIndex, '*/*'].join(', '),
  'a client of one type': ociManifest,
};

/** The program in front of a registry with the artifact, and the manifests that the registry gets. */
function appWithArtifact() {
  const pushed: Uint8Array[] = [];
  const upstream = scriptedUpstream(async (request, url) => {
    if (!url.pathname.startsWith('/v2/team/app/')) return undefined;
    if (request.method === 'PUT') {
      pushed.push(new Uint8Array(await request.arrayBuffer()));
      return new Response(null, { status: 201, headers: { 'docker-content-digest': digest } });
    }
    const isMeant = url.pathname.endsWith('/latest') || url.pathname.endsWith(digest);
    if (!isMeant) return undefined;
    return new Response(artifact, {
      headers: { 'content-type': ociManifest, 'docker-content-digest': digest },
    });
  });
  return { app: testApp({ REGSHIFT_PUSH: 'allow' }, upstream.fetch), pushed };
}

describe('an artifact of 4,000 layers', () => {
  for (const [client, accept] of Object.entries(accepts)) {
    it.each(['latest', digest])(`goes out as stored to ${client} by %s`, async (reference) => {
      const { app } = appWithArtifact();
      for (const method of ['HEAD', 'GET']) {
        const response = await app.send(method, `/v2/team/app/manifests/${reference}`, { accept });
        expect(response.status, response.text()).toBe(200);
        expect(response.header('docker-content-digest')).toBe(digest);
        expect(response.header('content-type')).toBe(ociManifest);
        if (method === 'GET') expect(digestOf(response.body)).toBe(digest);
      }
    });
  }

  it('is pushed through regshift unchanged', async () => {
    const { app, pushed } = appWithArtifact();
    const headers = { 'content-type': ociManifest };
    const response = await app.send('PUT', '/v2/team/app/manifests/files', headers, { body: artifact });
    expect(response.status, response.text()).toBe(201);
    expect(pushed.map((bytes) => digestOf(bytes))).toEqual([digest]);
  });
});
