import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { containerdGetHeaders, manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { havePrograms, requirePeers } from '../support/programs.ts';
import { pushSample } from '../support/push.ts';
import { rawRequest } from '../support/raw-http.ts';
import { sampleTree } from '../support/sample-tree.ts';
import { seedVectors, vectorCases } from '../support/seed-vectors.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

const missing = requirePeers('docker-registry');

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/**
 * The responses of docker-registry 2.8.2 for each sample: the Content-Type for a client that accepts everything, and
 * for one that sends no Accept. `null`: 404 with "OCI … found, but accept header does not support OCI …".
 */
const accepted: Record<string, { readonly stored: string; readonly withoutAccept: string | null }> = {
  // The sample is pushed as an OCI index. Without a mediaType inside, 2.8.2 takes it for an OCI manifest.
  'sample/generic': { stored: ociManifest, withoutAccept: null },
  'sample/generic-993': { stored: ociManifest, withoutAccept: null },
  'sample/generic-v1-target': { stored: ociManifest, withoutAccept: null },
  'sample/fat-generic': { stored: ociManifest, withoutAccept: null },
  'sample/fat-generic-table': { stored: ociManifest, withoutAccept: null },
  'sample/schema1': { stored: schema1Signed, withoutAccept: schema1Signed },
  'sample/schema2': { stored: schema2, withoutAccept: schema1Signed },
  'sample/schema2-empty-layers': { stored: schema2, withoutAccept: schema1Signed },
  'sample/schema2-plain-tar': { stored: schema2, withoutAccept: schema1Signed },
  'sample/list': { stored: dockerList, withoutAccept: schema1Signed },
  'sample/oci': { stored: ociManifest, withoutAccept: null },
  'sample/oci-no-history': { stored: ociManifest, withoutAccept: null },
  'sample/oci-zstd': { stored: ociManifest, withoutAccept: null },
  'sample/index': { stored: ociIndex, withoutAccept: null },
  'sample/index-arm': { stored: ociIndex, withoutAccept: null },
  'sample/index-zstd': { stored: ociIndex, withoutAccept: null },
  'sample/helm-chart': { stored: ociManifest, withoutAccept: null },
};

const refused: Record<string, { readonly status: number; readonly code: string }> = {
  // 2.8.2 refuses schema 1 without a signature.
  'sample/schema1-unsigned': { status: 400, code: 'MANIFEST_INVALID' },
};

describe.skipIf(missing)('pushSample into docker-registry 2.8.2', () => {
  const samples = createSampleRegistry();
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
  });
  afterAll(() => registry.stop());

  const get = (name: string, reference: string, types: readonly string[]) =>
    rawRequest({
      port: registry.port,
      method: 'GET',
      path: `/v2/${name}/manifests/${reference}`,
      headers: types.map((type) => ['Accept', type] as const),
    });

  it('is told of every sample', () => {
    const known = [...Object.keys(accepted), ...Object.keys(refused)];
    expect(known.toSorted()).toEqual(samples.repositories.map(({ name }) => name).toSorted());
  });

  it.each(Object.entries(accepted))('accepts %s', async (name, { stored, withoutAccept }) => {
    const { manifests, blobs } = await sampleTree(samples, name);
    const root = manifests.at(-1);
    expect(await pushSample(registry.url, name)).toBe(root?.digest);

    const everything = [schema1Signed, schema2, dockerList, ociManifest, ociIndex];
    for (const reference of ['latest', '1.0', root?.digest ?? '']) {
      const answer = await get(name, reference, everything);
      expect(answer.header('Content-Type')).toBe(stored);
      expect(answer.header('Docker-Content-Digest')).toBe(root?.digest);
      // docker-registry keeps the payload of schema 1 and signs it with its own key.
      const isSame = text(answer.body) === text(root?.bytes ?? new Uint8Array());
      expect(isSame).toBe(stored !== schema1Signed);
    }
    const old = await get(name, 'latest', []);
    expect(old.status).toBe(withoutAccept === null ? 404 : 200);
    if (withoutAccept !== null) expect(old.header('Content-Type')).toBe(withoutAccept);

    for (const [digest, bytes] of blobs) {
      const path = `/v2/${name}/blobs/${digest}`;
      const blob = await rawRequest({ port: registry.port, method: 'GET', path, headers: [] });
      expect(Buffer.compare(blob.body, bytes)).toBe(0);
    }
  });

  it.each(Object.entries(refused))('refuses %s', async (name, { status, code }) => {
    const body = expect.stringContaining(code);
    await expect(pushSample(registry.url, name)).rejects.toMatchObject({ status, body });
  });
});

describe.skipIf(missing)('seedVectors', () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    await seedVectors(registry.storage);
  });
  afterAll(() => registry.stop());

  it('makes docker-registry answer every golden case as it was recorded', async () => {
    const cases = await vectorCases();
    expect(cases).toHaveLength(55);
    for (const { name, repository, tag, status, digest, contentType } of cases) {
      const path = `/v2/${repository}/manifests/${tag}`;
      const asked = rawRequest({ port: registry.port, method: 'GET', path, headers: [] });
      if (status === 0) {
        await expect(asked, `${name} makes it drop the connection`).rejects.toThrow('before it was whole');
        continue;
      }
      const answer = await asked;
      const seen = { name, status: answer.status, digest: answer.header('Docker-Content-Digest') };
      expect(seen).toEqual({ name, status, digest });
      if (contentType !== undefined) expect(answer.header('Content-Type')).toBe(contentType);
    }
  });

  it('has the manifest and the config of a case, and not its layers', async () => {
    const path = '/v2/golden/one-layer';
    const ask = (rest: string, method = 'GET') =>
      rawRequest({
        port: registry.port,
        method,
        path: `${path}/${rest}`,
        headers: [['Accept', schema2]],
      });
    const manifest = await ask('manifests/v1.0');
    const { config, layers } = JSON.parse(text(manifest.body));
    expect((await ask(`blobs/${config.digest}`)).body).toHaveLength(config.size);
    expect((await ask(`blobs/${layers[0].digest}`, 'HEAD')).status).toBe(404);
  });
});

describe.skipIf(missing)('startDockerRegistry', () => {
  it('does as the options say, and leaves nothing behind', async () => {
    const registry = await startDockerRegistry({ schema1Enabled: false, deleteEnabled: true });
    try {
      const digest = await pushSample(registry.url, 'sample/schema2');
      const ask = (method: string, reference: string) =>
        rawRequest({
          port: registry.port,
          method,
          path: `/v2/sample/schema2/manifests/${reference}`,
          headers: [],
        });
      // 2.8.2 then refuses a push of schema 1 with 500, and still converts to schema 1.
      await expect(pushSample(registry.url, 'sample/schema1')).rejects.toMatchObject({ status: 500 });
      expect((await ask('GET', 'latest')).header('Content-Type')).toBe(schema1Signed);
      expect((await ask('DELETE', digest)).status).toBe(202);
    } finally {
      await registry.stop();
    }
    expect(existsSync(registry.storage)).toBe(false);
    await expect(fetch(registry.url)).rejects.toThrow();
  });
});

describe('rawRequest', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** Serves a response whose `pieces` are separate writes, and returns the request that it received. */
  async function peer(pieces: readonly string[]): Promise<{ port: number; received: () => string }> {
    let received = '';
    const server = createServer((socket) => {
      socket.once('data', async (chunk) => {
        received += chunk;
        for (const piece of pieces) {
          socket.write(piece);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        if (pieces.length > 0) socket.end();
      });
      socket.on('error', () => {});
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { port, received: () => received };
  }

  it('writes the request byte for byte', async () => {
    const { port, received } = await peer(['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']);
    const headers = manifestRequestHeaders['Docker 1.13.1'];
    await rawRequest({ port, method: 'GET', path: '//v2/', headers, host: 'registry.test' });
    expect(received()).toBe(
      [
        'GET //v2/ HTTP/1.1',
        'Host: registry.test',
        'User-Agent: docker/1.13.1 go/go1.7.5 git-commit/092cba3 kernel/4.9.0 os/linux arch/amd64 UpstreamClient(Docker-Client/1.13.1 \\(linux\\))',
        'Accept: application/vnd.docker.distribution.manifest.v2+json',
        'Accept: application/vnd.docker.distribution.manifest.list.v2+json',
        'Accept: application/vnd.docker.distribution.manifest.v1+prettyjws',
        'Accept: application/json',
        'Accept-Encoding: gzip',
        'Connection: close',
        '\r\n',
      ].join('\r\n'),
    );
  });

  it('reads a body by its length, by its chunks, and to the end', async () => {
    const head = 'HTTP/1.1 200 OK\r\nX-One: 1\r\nx-one: 2\r\n';
    const answers = [
      [`${head}Content-Length: 5\r\n\r\nhe`, 'llo and more'],
      [`HTTP/1.1 100 Continue\r\n\r\n${head}Content-Length: 5\r\n\r\nhello`],
      [`${head}Transfer-Encoding: chunked\r\n\r\n2\r\nh`, 'e\r\n3;x=y\r', '\nllo\r\n0\r\n', '\r\n'],
      [`${head}\r\nhe`, 'llo'],
    ];
    for (const pieces of answers) {
      const { port } = await peer(pieces);
      const answer = await rawRequest({ port, method: 'GET', path: '/', headers: [] });
      expect(text(answer.body)).toBe('hello');
      expect(answer.header('X-ONE')).toBe('1, 2');
      expect(answer.headers.slice(0, 2)).toEqual([
        ['X-One', '1'],
        ['x-one', '2'],
      ]);
      expect(answer.header('Content-Type')).toBeUndefined();
    }
  });

  it('waits for no body after HEAD', async () => {
    const { port } = await peer(['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n']);
    const answer = await rawRequest({ port, method: 'HEAD', path: '/', headers: [] });
    expect(answer.header('content-length')).toBe('5');
    expect(answer.body).toHaveLength(0);
  });

  it('fails at an answer that is cut, and at the deadline', async () => {
    const cut = await peer(['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe']);
    const ask = (port: number) => rawRequest({ port, method: 'GET', path: '/', headers: [], deadline: 200 });
    await expect(ask(cut.port)).rejects.toThrow('before it was whole');
    const silent = await peer([]);
    await expect(ask(silent.port)).rejects.toThrow('no answer within 200 ms');
  });
});

describe('the headers of old clients', () => {
  const acceptOf = (client: OldClient) =>
    manifestRequestHeaders[client].filter(([name]) => name === 'Accept').map(([, value]) => value);

  it('are as many Accept lines as each client sends', () => {
    const clients = Object.keys(manifestRequestHeaders) as OldClient[];
    expect(Object.fromEntries(clients.map((client) => [client, acceptOf(client).length]))).toEqual({
      'Docker 1.6.2': 0,
      'Docker 1.9.1': 0,
      'Docker 1.9.1 on arm': 0,
      'Docker 1.13.1': 4,
      'Docker 19.03.3': 6,
      'Docker 20.10': 6,
      skopeo: 6,
      'containerd HEAD': 1,
    });
  });

  it('end in a wildcard for containerd', () => {
    expect(acceptOf('containerd HEAD')[0]).toMatch(/, \*\/\*$/);
    expect(containerdGetHeaders(ociIndex)).toContainEqual(['Accept', `${ociIndex}, */*`]);
  });
});

describe('requirePeers', () => {
  const absent = 'regshift-no-such-program';
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it('says loudly what is missing', () => {
    vi.stubEnv('REGSHIFT_REQUIRE_PEERS', '');
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(havePrograms('sh')).toBe(true);
    expect(havePrograms('sh', absent)).toBe(false);
    expect(requirePeers('sh')).toBeUndefined();
    expect(requirePeers('sh', absent)).toBe(`not installed: ${absent}`);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining(absent));
  });

  it('fails where nothing may be skipped', () => {
    vi.stubEnv('REGSHIFT_REQUIRE_PEERS', '1');
    expect(() => requirePeers(absent)).toThrow(absent);
  });
});
