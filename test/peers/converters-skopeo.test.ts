import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  convertImage,
  emptyLayer,
  type Form,
  generateSigningKey,
  type Image,
  mediaTypes,
  readManifest,
} from '../../converters/index.ts';
import { caseFromRegistry } from '../support/converters/registry-case.ts';
import { contextOf, type StoredCase } from '../support/converters/stored-case.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { pushImage } from '../support/push.ts';
import { buildImage } from '../support/real-image.ts';
import { readSignedSchema1 } from '../support/signed-schema1.ts';
import { skopeoCopy } from '../support/skopeo-copy.ts';

const missing = requirePeers('skopeo', 'umoci', 'docker-registry');
const key = generateSigningKey();
const parse = (bytes: Uint8Array | undefined) => JSON.parse(new TextDecoder().decode(bytes));

/** skopeo is an independent converter: its conversions and ours must mean the same. */
describe.skipIf(missing)('skopeo agrees', () => {
  let home: string;
  let registry: DockerRegistry;
  let host: string;
  let built: StoredCase;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-skopeo-'));
    registry = await startDockerRegistry();
    host = `127.0.0.1:${registry.port}`;
    const { layout, tag } = await buildImage(join(home, 'built'), 'amd64');
    await copy(`oci:${layout}:${tag}`, 'test/built', '--preserve-digests');
    built = await stored('test/built');
  });
  afterAll(async () => {
    await registry.stop();
    await rm(home, { recursive: true, force: true });
  });

  async function copy(source: string, repository: string, ...options: string[]): Promise<void> {
    await skopeoCopy(home, source, `docker://${host}/${repository}:latest`, ...options);
  }

  const stored = (repository: string) =>
    caseFromRegistry(registry.url, { name: repository, madeBy: 'skopeo', repository, tag: 'latest' });

  /** Converts an image by skopeo, which has other names for the forms. */
  async function bySkopeo(source: string, format: 'v2s1' | 'v2s2' | 'oci'): Promise<StoredCase> {
    const repository = `${source}-${format}`;
    await copy(`docker://${host}/${source}:latest`, repository, '--format', format);
    return stored(repository);
  }

  function byUs(source: StoredCase, form: Form) {
    const image = readManifest(source.documents.get(source.root) ?? new Uint8Array()) as Image;
    return convertImage(
      image,
      form,
      contextOf(source, () => key),
    );
  }

  const facts = ({
    config,
    layers,
  }: {
    config: { digest: string };
    layers: { digest: string; size: number }[];
  }) => ({
    config: config.digest,
    layers: layers.map(({ digest, size }) => ({ digest, size })),
  });

  it.each([
    ['v2s2', 'schema2'],
    ['oci', 'oci'],
  ] as const)('on %s: the same layers and the same config', async (format, form) => {
    const theirs = await bySkopeo('test/built', format);
    const manifest = parse(theirs.documents.get(theirs.root));
    const ours = await byUs(built, form);
    expect(facts(parse(ours.body))).toEqual(facts(manifest));
    expect(ours.mediaType).toBe(manifest.mediaType ?? mediaTypes.ociManifest);
  });

  it('on v2s1: the same layers, the same history, the same run configuration', async () => {
    const theirs = await bySkopeo('test/built', 'v2s1');
    const ours = readSignedSchema1((await byUs(built, 'schema1')).body).document;
    const manifest = parse(theirs.documents.get(theirs.root));
    expect(ours.fsLayers).toEqual(manifest.fsLayers);
    const historyOf = (document: { history: readonly { v1Compatibility: string }[] }) =>
      document.history.map(({ v1Compatibility }) => {
        const { created, author, comment, throwaway = false, container_config } = JSON.parse(v1Compatibility);
        return { created, author, comment, throwaway, command: container_config?.Cmd?.join(' ') };
      });
    // The top entry of each is the config; skopeo drops some of its fields and adds others.
    expect(historyOf(ours).slice(1)).toEqual(historyOf(manifest).slice(1));
    const topOf = (document: { history: readonly { v1Compatibility: string }[] }) => {
      const {
        config,
        architecture,
        os,
        created,
        throwaway = false,
      } = JSON.parse(document.history[0]?.v1Compatibility ?? '{}');
      return { config, architecture, os, created, throwaway };
    };
    expect(topOf(ours)).toMatchObject(topOf(manifest));
  });

  it('on v2s1 back to v2s2: the same config digest, because both follow Docker', async () => {
    const schema1 = await bySkopeo('test/built', 'v2s1');
    const theirs = await bySkopeo('test/built-v2s1', 'v2s2');
    const ours = await byUs(schema1, 'schema2');
    expect(facts(parse(ours.body))).toEqual(facts(parse(theirs.documents.get(theirs.root))));
  });

  it('on the schema 1 that we write, as v2s2', async () => {
    const repository = 'test/written-by-us';
    const { body } = await byUs({ ...built, repository, tag: 'latest' }, 'schema1');
    await pushWithLayers(repository, body);
    const theirs = await bySkopeo(repository, 'v2s2');
    const ours = await byUs(await stored(repository), 'schema2');
    expect(facts(parse(ours.body))).toEqual(facts(parse(theirs.documents.get(theirs.root))));
  });

  it.each(['1.7.1', '1.8.2', '1.8.3', '1.9.1', '17.05.0-ce'])(
    'on schema 1 by Docker %s as v2s2: the same config digest',
    async (version) => {
      const repository = `test/docker-${version}`;
      const { documents, root } = await bySkopeo('test/built', 'v2s1');
      const document = parse(documents.get(root));
      delete document.signatures;
      document.history[0].v1Compatibility = asOfOld(document.history[0].v1Compatibility, version);
      const unsigned = new TextEncoder().encode(
        JSON.stringify({ ...document, name: repository, tag: 'latest' }, null, 3),
      );
      const image = readManifest(unsigned) as Image;
      const signed = await convertImage(
        image,
        'schema1',
        contextOf(built, () => key),
      );
      await pushWithLayers(repository, signed.body);
      const theirs = await bySkopeo(repository, 'v2s2');
      const ours = await byUs(await stored(repository), 'schema2');
      expect(facts(parse(ours.body))).toEqual(facts(parse(theirs.documents.get(theirs.root))));
    },
  );

  /** Pushes schema 1 to a repository after mounting its layers from the repository of the built image. */
  async function pushWithLayers(repository: string, manifest: Uint8Array): Promise<void> {
    for (const digest of built.layers.keys()) {
      const mount = `mount=${digest}&from=test/built`;
      const mounted = await fetch(`${registry.url}/v2/${repository}/blobs/uploads/?${mount}`, {
        method: 'POST',
      });
      expect(mounted.status).toBe(201);
    }
    const manifests = [{ bytes: manifest, mediaType: mediaTypes.schema1Signed }];
    await pushImage(registry.url, repository, 'latest', { blobs: [emptyLayer.bytes], manifests });
  }
});

/** The v1 JSON of the top image in the form of an old Docker: with fields that later versions do not know, and without those that they added. */
function asOfOld(json: string, docker_version: string): string {
  const { id, parent, created, architecture, os, config, throwaway } = JSON.parse(json);
  return JSON.stringify({
    id,
    parent,
    created,
    container: 'f'.repeat(64),
    container_config: {
      Hostname: 'h',
      Cmd: ['/bin/sh', '-c', '#(nop) CMD <x> & "y"'],
      Env: null,
      Labels: { b: 'é', a: '' },
      Memory: 0,
    },
    docker_version,
    author: 'me <me@example.com>',
    config: {
      ...config,
      PortSpecs: null,
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
      OnBuild: [],
    },
    architecture,
    os,
    throwaway,
    checksum: 'tarsum+sha256:0',
    Size: 0,
  });
}
