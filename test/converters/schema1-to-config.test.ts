import { describe, expect, it } from 'vitest';
import {
  type ConversionContext,
  convertImage,
  digestOf,
  emptyLayer,
  type Image,
  type LayerFacts,
  readManifest,
} from '../../converters/index.ts';
import { noPorts } from '../support/converters/no-ports.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const blob = (seed: string) => digestOf(encode(`packed ${seed}`));
const diffId = (seed: string) => digestOf(encode(`unpacked ${seed}`));
const id = (letter: string) => letter.repeat(64);

interface Entry {
  readonly blobSum: string;
  readonly json: object;
}

/** Makes a schema 1 image. @param entries base first; the manifest has them newest first. */
function schema1(entries: readonly Entry[]): Image {
  const letters = 'abcdefghij';
  const history = entries.map(({ json }, index) => ({
    v1Compatibility: JSON.stringify({
      id: id(letters.charAt(index)),
      ...(index > 0 ? { parent: id(letters.charAt(index - 1)) } : {}),
      ...json,
    }),
  }));
  const fsLayers = entries.map(({ blobSum }) => ({ blobSum }));
  const manifest = {
    schemaVersion: 1,
    name: 'n',
    tag: 't',
    architecture: 'amd64',
    fsLayers: fsLayers.toReversed(),
    history: history.toReversed(),
  };
  return readManifest(encode(JSON.stringify(manifest))) as Image;
}

function context(
  facts: Readonly<Record<string, Partial<LayerFacts>>>,
  reads: string[] = [],
): ConversionContext {
  const known = new Map(
    Object.entries(facts).map(([seed, each]) => [
      blob(seed) as string,
      { compression: 'gzip' as const, packedSize: 10, size: 100, diffId: diffId(seed), ...each },
    ]),
  );
  const layerFacts = async ({ digest }: { digest: string }) => {
    reads.push(digest);
    return known.get(digest) ?? Promise.reject(new Error(`unexpected read of ${digest}`));
  };
  return { ...noPorts, ports: { ...noPorts.ports, layerFacts } };
}

async function convert(image: Image, ports: ConversionContext) {
  const { body, blobs } = await convertImage(image, 'schema2', ports);
  const [config] = blobs;
  if (config?.kind !== 'config') throw new Error('no config');
  const manifest = JSON.parse(new TextDecoder().decode(body));
  expect(manifest.config).toMatchObject({ digest: config.digest, size: config.bytes.length });
  const text = new TextDecoder().decode(config.bytes);
  return {
    layers: manifest.layers as { digest: string; size: number; mediaType: string }[],
    text,
    config: JSON.parse(text),
  };
}

describe('schema 1 as schema 2', () => {
  it('has a history entry for each v1 image, and the measurements of its layers', async () => {
    const image = schema1([
      {
        blobSum: blob('a'),
        json: {
          created: '2015-01-01T00:00:00.10Z',
          author: 'me',
          comment: 'first',
          container_config: { Cmd: ['/bin/sh', '-c', 'ADD'] },
        },
      },
      {
        blobSum: blob('b'),
        json: { created: '2015-01-02T00:00:00+00:00', container_config: { Cmd: 'one string' } },
      },
    ]);
    const { layers, config } = await convert(
      image,
      context({ a: {}, b: { compression: 'none', packedSize: 100 } }),
    );
    expect(config.history).toEqual([
      { created: '2015-01-01T00:00:00.1Z', author: 'me', created_by: '/bin/sh -c ADD', comment: 'first' },
      { created: '2015-01-02T00:00:00Z', created_by: 'one string' },
    ]);
    expect(config.rootfs).toEqual({ type: 'layers', diff_ids: [diffId('a'), diffId('b')] });
    expect(layers).toEqual([
      { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', size: 10, digest: blob('a') },
      { mediaType: 'application/vnd.docker.image.rootfs.diff.tar', size: 100, digest: blob('b') },
    ]);
  });

  it('has the top v1 image as its config, without the v1 members, and with every number and escape as written', async () => {
    const json = `{"id":"${id('a')}","z":1.10,"a":"\\u00e9\\/","Size":5,"layer_id":"x","parent_id":"y","throwaway":false,"created":"2015-01-01T00:00:00Z"}`;
    const manifest = {
      schemaVersion: 1,
      architecture: 'amd64',
      fsLayers: [{ blobSum: blob('a') }],
      history: [{ v1Compatibility: json }],
    };
    const { text } = await convert(
      readManifest(encode(JSON.stringify(manifest))) as Image,
      context({ a: {} }),
    );
    expect(text).toBe(
      `{"a":"\\u00e9\\/","created":"2015-01-01T00:00:00Z","history":[{"created":"2015-01-01T00:00:00Z"}],` +
        `"rootfs":{"type":"layers","diff_ids":["${diffId('a')}"]},"z":1.10}`,
    );
  });

  it('has the history of v1 images whose keys are in another case, as Go reads them', async () => {
    const created = '2015-01-01T00:00:00Z';
    const json = { Created: created, Container_Config: { cmd: ['a'] }, AUTHOR: 'b', Comment: 'c' };
    const { config } = await convert(schema1([{ blobSum: blob('a'), json }]), context({ a: {} }));
    expect(config.history).toEqual([{ created, author: 'b', created_by: 'a', comment: 'c' }]);
  });

  it('has an empty word in a command for null, as Go reads it', async () => {
    const json = { created: '2015-01-01T00:00:00Z', container_config: { Cmd: [null, 'a'] } };
    const { config } = await convert(schema1([{ blobSum: blob('a'), json }]), context({ a: {} }));
    expect(config.history[0].created_by).toBe(' a');
  });

  it('reads each layer once, and no known empty layer', async () => {
    const reads: string[] = [];
    const image = schema1([
      { blobSum: blob('a'), json: {} },
      { blobSum: emptyLayer.digest, json: { throwaway: true } },
      { blobSum: blob('a'), json: {} },
      { blobSum: emptyLayer.digest, json: {} },
      { blobSum: 'sha256:3c2cba919283a210665e480bcbf943eaaf4ed87a83f02e81bb286b8bdead0e75', json: {} },
      { blobSum: blob('never there'), json: { throwaway: true } },
    ]);
    const { layers, config } = await convert(image, context({ a: {} }, reads));
    expect(reads).toEqual([blob('a')]);
    expect(layers.map(({ digest }) => digest)).toEqual([blob('a'), blob('a')]);
    expect(config.history.map((each: { empty_layer?: true }) => each.empty_layer ?? false)).toEqual([
      false,
      true,
      false,
      true,
      true,
      true,
    ]);
  });

  it('leaves out a layer without files', async () => {
    const image = schema1([
      { blobSum: blob('a'), json: {} },
      { blobSum: blob('zeros'), json: {} },
    ]);
    const { layers, config } = await convert(image, context({ a: {}, zeros: { diffId: emptyLayer.diffId } }));
    expect(layers).toHaveLength(1);
    expect(config.rootfs.diff_ids).toEqual([diffId('a')]);
    expect(config.history[1].empty_layer).toBe(true);
  });

  // Docker ≤ 1.9 summed the lengths of files (v1.9.1, pkg/archive/diff.go, UnpackLayer); directories, links and
  // whiteouts have length 0.
  it('keeps a layer of Size 0 that makes a directory or removes a file', async () => {
    const image = schema1([
      { blobSum: blob('a'), json: { Size: 100 } },
      { blobSum: blob('mkdir'), json: { Size: 0 } },
    ]);
    const { layers, config } = await convert(image, context({ a: {}, mkdir: {} }));
    expect(layers.map(({ digest }) => digest)).toEqual([blob('a'), blob('mkdir')]);
    expect(config.history[1]).not.toHaveProperty('empty_layer');
  });

  it('keeps only the older of consecutive entries with the same id, as Docker does', async () => {
    const json = { id: id('a'), parent: undefined };
    const image = schema1([
      { blobSum: blob('old'), json },
      { blobSum: blob('new'), json },
    ]);
    const { layers } = await convert(image, context({ old: {} }));
    expect(layers.map(({ digest }) => digest)).toEqual([blob('old')]);
  });

  it('reads no layer if the signature is invalid', async () => {
    const reads: string[] = [];
    const image = schema1([{ blobSum: blob('a'), json: {} }]);
    if (image.target.kind !== 'v1') throw new Error('no schema 1');
    const forged = {
      algorithm: 'ES256',
      key: { kind: 'jwk', jwk: {}, keyId: undefined },
      signature: 'AA',
      protected: 'AA',
    } as const;
    const signed = { ...image, target: { ...image.target, signatures: [forged] } };
    await expect(convert(signed, context({ a: {} }, reads))).rejects.toMatchObject({ code: 'SIGNATURE' });
    expect(reads).toEqual([]);
  });
});

/** Docker from 1.10 on and skopeo re-encode such an image. The peers' test compares with a real skopeo. */
describe('an image by a Docker before 1.8.3', () => {
  const convertTop = (json: object) => convert(schema1([{ blobSum: blob('a'), json }]), context({ a: {} }));

  it('has exactly the fields of Go’s structs of that time', async () => {
    const { text } = await convertTop({
      docker_version: '1.7.1',
      created: '2015-06-01T00:00:00.50Z',
      unknown: true,
      architecture: 'amd64',
      os: 'linux',
      container_config: { Cmd: ['a'], Memory: 0, Labels: { b: '2', a: '1' } },
      config: {
        Env: ['A=<b>'],
        ExposedPorts: { '80/tcp': {} },
        Volumes: {},
        Cmd: 'one string',
        Healthcheck: { Test: [] },
      },
    });
    const blank =
      '"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false';
    expect(text).toBe(
      '{"architecture":"amd64",' +
        `"config":{${blank},"ExposedPorts":{"80/tcp":{}},"Tty":false,"OpenStdin":false,"StdinOnce":false,` +
        '"Env":["A=\\u003cb\\u003e"],"Cmd":["one string"],"Healthcheck":{"Test":[]},"Image":"","Volumes":{},"WorkingDir":"",' +
        '"Entrypoint":null,"OnBuild":null,"Labels":null},' +
        `"container_config":{${blank},"Tty":false,"OpenStdin":false,"StdinOnce":false,` +
        '"Env":null,"Cmd":["a"],"Image":"","Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,' +
        '"Labels":{"a":"1","b":"2"}},' +
        '"created":"2015-06-01T00:00:00.5Z","docker_version":"1.7.1",' +
        '"history":[{"created":"2015-06-01T00:00:00.5Z","created_by":"a"}],"os":"linux",' +
        `"rootfs":{"type":"layers","diff_ids":["${diffId('a')}"]}}`,
    );
  });

  it.each([
    ['1.8.2', true],
    ['1.8', true],
    ['1.8.3-rc1', true],
    ['0.9.1', true],
    ['1.8.3', false],
    ['1.8.10', false],
    ['1.10.0', false],
    ['17.05.0-ce', false],
    ['', false],
    ['dev', true],
  ])('is recognized by its version: %j, %s', async (docker_version, rewritten) => {
    const { config } = await convertTop({ docker_version, unknown: true });
    expect('unknown' in config).toBe(!rewritten);
  });

  it('is refused if a field has another type than in Docker', async () => {
    await expect(convertTop({ docker_version: '1.7.1', config: { Env: 'A=b' } })).rejects.toMatchObject({
      name: 'ConversionError',
      code: 'INVALID',
    });
  });
});
