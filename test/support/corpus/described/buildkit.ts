import { gzip } from '../../../../src/sample-registry/gzip.ts';
import {
  artifact,
  type DescribedTool,
  empty,
  image,
  index,
  type Make,
  on,
  otherDigest,
} from '../described-tool.ts';

const created = '2024-05-06T07:08:09.123456789Z';
const linux = { architecture: 'amd64', os: 'linux' };
const date = '2026-11-29';

const dockerfile = 'buildkit.dockerfile.v0';
const history = [
  { created, created_by: 'COPY base / # buildkit', comment: dockerfile },
  { created, created_by: 'ENV A=b', comment: dockerfile, empty_layer: true },
  { created, created_by: 'COPY top / # buildkit', comment: dockerfile },
];
const built = (architecture: string, more: object = {}) =>
  image(
    { architecture, config: { Env: ['PATH=/bin'], WorkingDir: '/' }, created, history, os: 'linux', ...more },
    { indent: 2 },
  );

const statement =
  '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2"}';
const inToto = (type: string) =>
  [
    'application/vnd.in-toto+json',
    statement,
    { annotations: { 'in-toto.io/predicate-type': type } },
  ] as const;
const unknown = {
  architecture: 'unknown',
  os: 'unknown',
  config: {},
  rootfs: { type: 'layers', diff_ids: [otherDigest] },
};

/** An attestation manifest, and the members of its descriptor in the index. */
const attestation = (
  of: Make,
  more: { readonly artifact?: boolean; readonly data?: boolean } = {},
): readonly [Make, (built: Parameters<Make>[0]) => Promise<object>] => [
  more.artifact
    ? async (into) => {
        const subject = await of(into);
        const layers = [inToto('https://spdx.dev/Document'), inToto('https://slsa.dev/provenance/v1')];
        const data = more.data ? { data: 'e30=' } : {};
        const parts = { artifactType: 'application/vnd.docker.attestation.manifest.v1+json', subject };
        return artifact([empty[0], empty[1], data], layers, parts)(into);
      }
    : artifact(
        ['application/vnd.oci.image.config.v1+json', unknown],
        [inToto('https://slsa.dev/provenance/v0.2')],
      ),
  async (into) => ({
    annotations: {
      'vnd.docker.reference.digest': (await of(into)).digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
    ...on('unknown', 'unknown'),
  }),
];

const cacheLayer = {
  annotations: { 'buildkit/createdat': created, 'containerd.io/uncompressed': otherDigest },
};
const cacheConfig = [
  'application/vnd.buildkit.cacheconfig.v0',
  {
    layers: [{ blob: otherDigest, parent: -1, annotations: { size: 1, mediaType: 'x' } }],
    records: [
      {
        digest: otherDigest,
        layers: [{ layer: 0, createdAt: created }],
        inputs: [[{ selector: 's', link: 0 }]],
      },
    ],
  },
] as const;
const gzipLayer = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** BuildKit and what is published with it. */
export const buildkit: readonly DescribedTool[] = [
  {
    tool: 'BuildKit',
    source: 'https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md',
    date,
    images: {
      'one platform': built('amd64'),
      'a variant': built('arm', { variant: 'v7', config: { Env: [], Cmd: ['/top'], ArgsEscaped: true } }),
      'Docker types': image(
        {
          ...linux,
          config: { Env: ['A=b'], Entrypoint: ['/top'], Labels: { a: 'b' }, OnBuild: null },
          created,
          history,
        },
        { docker: true, indent: 2 },
      ),
      'inline cache': built('amd64', {
        'moby.buildkit.cache.v0': [{ layers: [{ blob: otherDigest }], records: [] }],
      }),
      'build info': built('amd64', {
        'moby.buildkit.buildinfo.v1': 'eyJmcm9udGVuZCI6ImRvY2tlcmZpbGUudjAifQ==',
      }),
      'a reproducible build': built('amd64', {
        created: '1970-01-01T00:00:00Z',
        author: 'me',
        config: { Labels: { a: 'b' }, Healthcheck: { Test: ['NONE'] } },
      }),
      'zstd layers': image(
        { ...linux, config: { Env: [], StopSignal: 'SIGINT' }, created, history },
        { layerType: 'application/vnd.oci.image.layer.v1.tar+zstd', indent: 2 },
      ),
      'plain layers': image(
        { ...linux, config: { Env: [], User: '1' }, created, history },
        { layerType: 'application/vnd.oci.image.layer.v1.tar' },
      ),
      'eStargz layers': image(
        { ...linux, config: { Env: [], Volumes: { '/v': {} } }, created, history },
        {
          layer: {
            annotations: {
              'containerd.io/snapshot/stargz/toc.digest': otherDigest,
              'io.containers.estargz.uncompressed-size': '1',
            },
          },
        },
      ),
      'annotated layers': image(
        { ...linux, config: { Env: [], Shell: ['/bin/bash'] }, created, history },
        {
          layer: { annotations: { 'buildkit/rewritten-timestamp': '0' } },
          manifest: { annotations: { 'org.opencontainers.image.created': created } },
        },
      ),
      attested: index([[built('amd64'), on('amd64')], attestation(built('amd64'))]),
      'attested with a subject': index([
        [built('amd64'), on('amd64')],
        attestation(built('amd64'), { artifact: true }),
      ]),
      'attested with embedded data': index([
        [built('amd64'), on('amd64')],
        [built('arm64', { variant: 'v8' }), on('arm64', 'linux', { variant: 'v8' })],
        attestation(built('amd64'), { artifact: true, data: true }),
      ]),
      'an annotated index': index(
        [[built('amd64'), { annotations: { 'org.opencontainers.image.title': 't' }, ...on('amd64') }]],
        {
          members: {
            annotations: { 'org.opencontainers.image.title': 't', 'org.opencontainers.image.url': 'u' },
          },
        },
      ),
      'an index of Docker': index(
        [
          [image({ ...linux, config: { Env: [] }, created, history }, { docker: true }), on('amd64')],
          [
            image(
              { architecture: 'arm', os: 'linux', config: { Env: [] }, created, history },
              { docker: true },
            ),
            on('arm', 'linux', { variant: 'v6' }),
          ],
        ],
        { docker: true },
      ),
      'cache index': async (into) => {
        const layer = { ...into.blob(gzipLayer, gzip(new TextEncoder().encode('cached'))), ...cacheLayer };
        const config = into.blob(cacheConfig[0], new TextEncoder().encode(JSON.stringify(cacheConfig[1])));
        const mediaType = 'application/vnd.oci.image.index.v1+json';
        return into.manifest(mediaType, { schemaVersion: 2, mediaType, manifests: [layer, config] });
      },
      'cache image': artifact(cacheConfig, [[gzipLayer, 'cached', cacheLayer]]),
    },
  },
  {
    tool: 'buildx',
    source: 'https://github.com/docker/buildx/blob/master/util/desktop/bundle/export.go',
    date,
    images: {
      'build history': index([
        [
          artifact(
            [
              'application/vnd.buildkit.historyrecord.v0',
              { Ref: 'r', Frontend: 'dockerfile.v0', CreatedAt: created, logs: { digest: otherDigest } },
            ],
            [
              ['application/vnd.buildkit.otlp.json.v0', '{"spans":[]}'],
              ['application/vnd.buildkit.status.v0', '{"vertexes":[]}'],
            ],
          ),
          { annotations: { 'vnd.buildkit.history.reference': 'r' } },
        ],
      ]),
    },
  },
  {
    tool: 'Docker Official Images',
    source: 'https://github.com/docker-library/meta-scripts/blob/main/meta.jq',
    date,
    images: {
      index: index(
        ['amd64', 'arm64'].flatMap((architecture) => {
          const one = built(architecture, {
            config: { Cmd: ['bash'], Entrypoint: ['docker-entrypoint.sh'], Env: ['A=b'] },
          });
          const [manifest, members] = attestation(one);
          const arch = { 'com.docker.official-images.bashbrew.arch': architecture };
          return [
            [
              one,
              {
                annotations: {
                  ...arch,
                  'org.opencontainers.image.base.name': 'scratch',
                  'org.opencontainers.image.created': created,
                  'org.opencontainers.image.revision': 'r',
                  'org.opencontainers.image.source': 's',
                  'org.opencontainers.image.url': 'u',
                  'org.opencontainers.image.version': 'v',
                },
                ...on(architecture),
              },
            ] as const,
            [
              manifest,
              async (into: Parameters<Make>[0]) => {
                const found = (await members(into)) as { readonly annotations: object };
                return { ...found, annotations: { ...found.annotations, ...arch } };
              },
            ] as const,
          ];
        }),
      ),
      'Windows and Linux': index([
        [
          built('amd64', { config: { Cmd: ['sh'] } }),
          {
            annotations: {
              'com.docker.official-images.bashbrew.arch': 'amd64',
              'org.opencontainers.image.base.digest': otherDigest,
            },
            ...on('amd64'),
          },
        ],
        [
          image(
            {
              architecture: 'amd64',
              os: 'windows',
              'os.version': '10.0.20348.2',
              created,
              config: { Cmd: ['c:\\windows\\cmd.exe'], User: 'ContainerUser' },
              history: [
                { created, created_by: 'Apply image' },
                { created, created_by: 'cmd /S /C #(nop) CMD' },
              ],
            },
            { docker: true },
          ),
          {
            annotations: { 'com.docker.official-images.bashbrew.arch': 'windows-amd64' },
            ...on('amd64', 'windows', { 'os.version': '10.0.20348.2' }),
          },
        ],
      ]),
      'a list of 2019': index(
        ['v5', 'v7'].map((variant) => [
          image(
            {
              architecture: 'arm',
              config: {
                Hostname: '',
                Domainname: '',
                User: '',
                AttachStdin: false,
                Tty: false,
                Env: ['A=b'],
                Cmd: ['bash'],
                ArgsEscaped: true,
                Image: otherDigest,
                Volumes: null,
                WorkingDir: '',
                Entrypoint: null,
                OnBuild: null,
                Labels: null,
              },
              container: 'c'.repeat(64),
              container_config: {
                Hostname: 'h',
                Cmd: ['/bin/sh', '-c', '#(nop) '],
                Image: otherDigest,
                Labels: {},
              },
              created,
              docker_version: '18.06.1-ce',
              history: [
                { created, created_by: '/bin/sh -c #(nop) ADD file in / ' },
                { created, created_by: 'CMD', empty_layer: true },
                { created },
              ],
              os: 'linux',
            },
            { docker: true, indent: 3 },
          ),
          on('arm', 'linux', { variant }),
        ]),
        { docker: true },
      ),
    },
  },
  {
    tool: 'Docker Scout',
    source: 'https://docs.docker.com/build/metadata/attestations/attestation-storage/',
    date,
    images: {
      'an added attestation': index([
        [built('amd64', { config: {} }), on('amd64')],
        [
          artifact(
            ['application/vnd.docker.attestation.config.v1+json', {}],
            [
              [
                'application/vnd.in-toto+json',
                statement,
                { annotations: { 'in-toto.io/predicate-type': 'https://scout.docker.com/sbom/v0.1' } },
              ],
            ],
          ),
          {
            annotations: {
              'vnd.docker.reference.digest': otherDigest,
              'vnd.docker.reference.type': 'attestation-manifest',
              'com.docker.scout.created': created,
            },
            ...on('unknown', 'unknown'),
          },
        ],
      ]),
    },
  },
];
