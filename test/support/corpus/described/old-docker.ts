import {
  digestOf,
  emptyLayer,
  mediaTypes,
  readSigningKey,
  signSchema1,
} from '../../../../converters/index.ts';
import { zeroTime } from '../../../../converters/json/go-time.ts';
import { gzip } from '../../../../src/sample-registry/gzip.ts';
import { layerWith } from '../../built-repository.ts';
import { testSigningKey } from '../../signing-key.ts';
import { type DescribedTool, image, type Make } from '../described-tool.ts';

const date = '2026-11-29';
const created = '2015-05-06T07:08:09.123456789Z';
const ids = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(64));

/** A v1 image without its id, parent and layer. A file of `null` is the empty layer. */
type V1 = readonly [file: string | null, image: object];

interface Schema1More {
  readonly unsigned?: boolean;
  /** The name and tag, which registry API v1's importers left empty. */
  readonly name?: string;
  readonly document?: object;
  /** The text after each image's JSON; Docker wrote a line break. */
  readonly end?: string;
}

/** A schema 1 manifest. @param chain the v1 images, newest first. */
const schema1 =
  (chain: readonly V1[], more: Schema1More = {}): Make =>
  async (built) => {
    const layers = chain.map(([file]) => {
      const bytes = file === null ? emptyLayer.bytes : gzip(layerWith(file).tar);
      return { blobSum: built.blob(mediaTypes.dockerLayerGzip, bytes).digest };
    });
    const history = chain.map(([, members], position) => {
      const parent = position + 1 < chain.length ? { parent: ids[position + 1] } : {};
      return {
        v1Compatibility: JSON.stringify({ id: ids[position], ...parent, ...members }) + (more.end ?? ''),
      };
    });
    const document = {
      schemaVersion: 1,
      name: more.name ?? 'corpus/image',
      tag: 'latest',
      architecture: 'amd64',
      fsLayers: layers,
      history,
      ...more.document,
    };
    const payload = new TextEncoder().encode(JSON.stringify(document, null, 3));
    if (more.unsigned) return built.manifest(mediaTypes.schema1, payload);
    const key = await readSigningKey(JSON.stringify(testSigningKey));
    const signed = await signSchema1(payload, key, zeroTime);
    return built.manifest(mediaTypes.schema1Signed, signed, digestOf(payload));
  };

const run = {
  Hostname: 'h',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  ExposedPorts: null,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: ['A=b'],
  Cmd: ['/top'],
  Image: 'x',
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: [],
};
const since12 = {
  NetworkDisabled: false,
  Memory: 0,
  MemorySwap: 0,
  CpuShares: 0,
  Cpuset: '',
  PortSpecs: null,
};
const base = {
  created,
  container: 'e'.repeat(64),
  docker_version: '1.3.3',
  architecture: 'amd64',
  os: 'linux',
};

/** Docker up to 1.9 always wrote `container_config`: in Go, an empty struct is not left out (image/image.go). */
const early = { ...base, container_config: { ...run, Cmd: ['/bin/sh', '-c', '#(nop) ADD file in /'] } };

/** Docker before content addresses (1.10), and images that it left behind. */
export const oldDocker: readonly DescribedTool[] = [
  {
    tool: 'Docker up to 1.9',
    source: 'https://github.com/moby/moby/blob/v1.9.1/image/image.go',
    date,
    images: {
      '1.3': schema1(
        [
          [
            'top',
            { ...early, container_config: { ...run, ...since12 }, config: { ...run, ...since12 }, Size: 5 },
          ],
          ['base', { ...early, container_config: { ...run, ...since12 }, Size: 7 }],
        ],
        { end: '\n' },
      ),
      '1.3, with a checksum': schema1([
        ['top', { ...early, config: run, checksum: 'tarsum+sha256:0', Size: 5 }],
        ['base', { ...early, checksum: 'tarsum.v1+sha256:0', Size: 0 }],
      ]),
      '1.6': schema1(
        [
          [
            'top',
            {
              ...early,
              docker_version: '1.6.2',
              author: 'me',
              config: { ...run, MacAddress: '', Labels: {} },
              container_config: { ...run, Labels: { a: 'b' } },
              Size: 0,
            },
          ],
          ['base', { ...early, Size: 3 }],
        ],
        { end: '\n' },
      ),
      '1.7': schema1([
        [
          'top',
          {
            ...early,
            docker_version: '1.7.1',
            comment: 'c',
            config: { ...run, VolumeDriver: '', Labels: null },
            Size: 0,
          },
        ],
        ['base', { created }],
      ]),
      '1.8': schema1([
        [
          'top',
          {
            ...early,
            docker_version: '1.8.3',
            config: { ...run, PublishService: '', MacAddress: '' },
            container_config: run,
            Size: 4,
          },
        ],
        [null, { ...early, container_config: { Cmd: ['/bin/sh', '-c', '#(nop) ENV A=b'] }, Size: 0 }],
        ['base', { created, Size: 9 }],
      ]),
      '1.9': schema1([
        ['top', { ...early, docker_version: '1.9.1', config: { ...run, StopSignal: 'SIGTERM' }, Size: 2 }],
        ['base', { created, parent_id: 'x', Size: 1 }],
      ]),
      'without an architecture': schema1(
        [
          ['top', { created, config: run, Size: 2 }],
          ['base', { created }],
        ],
        { document: { architecture: '' } },
      ),
      unsigned: schema1(
        [
          ['top', { ...early, config: run }],
          ['base', { created, os: 'linux' }],
        ],
        { unsigned: true },
      ),
      'of many empty layers': schema1([
        [null, { ...early, config: run, Size: 0 }],
        [null, { created, container_config: { Cmd: ['x'] }, author: 'me' }],
        ['base', { created, Size: 1 }],
      ]),
      'an import': schema1([
        [
          'top',
          {
            created,
            comment: 'Imported from -',
            config: {},
            container_config: { Cmd: null },
            docker_version: '1.8.0',
            Size: 1,
          },
        ],
      ]),
    },
  },
  {
    tool: 'Docker 1.10 to a registry of 2015',
    source: 'https://github.com/moby/moby/blob/v1.10.3/distribution/push_v2.go',
    date,
    images: {
      'throwaway layers': schema1([
        [null, { ...base, docker_version: '1.10.3', config: { ...run, Labels: {} }, throwaway: true }],
        [null, { created, container_config: { Cmd: ['/bin/sh -c #(nop) ENV A=b'] }, throwaway: true }],
        ['base', { created, container_config: { Cmd: ['/bin/sh -c #(nop) ADD file in /'] } }],
      ]),
      'with an author and a health check': schema1([
        [
          'top',
          {
            ...base,
            docker_version: '17.05.0-ce',
            author: 'me',
            config: { ...run, Healthcheck: { Test: ['CMD', 'x'], Interval: 1 }, ArgsEscaped: true },
            container_config: { ...run, Shell: ['/bin/sh'] },
          },
        ],
        ['base', { created, author: 'me', comment: 'c', container_config: { Cmd: ['x'] } }],
      ]),
    },
  },
  {
    tool: 'quay.io',
    source: 'https://github.com/quay/quay/blob/master/image/docker/schema1.py',
    date,
    images: {
      'converted to schema 1': schema1(
        [
          [
            'top',
            {
              created,
              config: { Cmd: ['/top'], Env: ['A=b'] },
              architecture: 'amd64',
              os: 'linux',
              author: 'me',
            },
          ],
          ['base', { created, config: {}, container_config: { Cmd: 'ADD file in /' } }],
        ],
        { document: { name: 'corpus/image' } },
      ),
    },
  },
  {
    tool: 'Docker 1.10 to 18.03',
    source: 'https://github.com/moby/moby/blob/v1.10.3/image/spec/v1.1.md',
    date,
    images: {
      'migrated from 1.9': image(
        {
          ...base,
          docker_version: '1.9.1',
          config: run,
          container_config: run,
          history: [
            { created, created_by: 'a' },
            { author: 'me', created, created_by: 'b', comment: 'c' },
          ],
        },
        { docker: true, indent: 3 },
      ),
      '1.12': image(
        {
          ...base,
          docker_version: '1.12.6',
          config: { ...run, ArgsEscaped: true, Labels: {} },
          container_config: { ...run, Labels: {} },
          history: [
            { created, created_by: 'a' },
            { created, created_by: 'e', empty_layer: true },
            { created, created_by: 'b' },
          ],
        },
        { docker: true, indent: 3 },
      ),
      '1.13, squashed': image(
        {
          ...base,
          docker_version: '1.13.1',
          config: { ...run, Healthcheck: { Test: ['NONE'] }, Shell: ['/bin/sh'] },
          container_config: { ...run, StopTimeout: 5 },
          history: [
            { created, created_by: 'a', empty_layer: true },
            { created, comment: 'merge sha256:a to sha256:b' },
          ],
        },
        { docker: true, indent: 3, files: ['merged'] },
      ),
      '17.06, with a stop signal': image(
        {
          ...base,
          docker_version: '17.06.2-ce',
          author: 'me',
          comment: 'c',
          config: { ...run, StopSignal: '9', StopTimeout: 3 },
          container_config: { ...run, StopSignal: '9' },
          history: [{ created }, { created, created_by: 'b' }],
        },
        { docker: true, indent: 3 },
      ),
      '18.03 for ARM': image(
        {
          ...base,
          architecture: 'arm64',
          variant: 'v8',
          docker_version: '18.03.1-ce',
          config: { ...run, Volumes: { '/v': {} }, ExposedPorts: { '80/tcp': {} } },
          container_config: { ...run, Entrypoint: ['x'] },
          history: [
            { created, created_by: 'x' },
            { created, created_by: 'y' },
          ],
        },
        { docker: true, indent: 3 },
      ),
    },
  },
];
