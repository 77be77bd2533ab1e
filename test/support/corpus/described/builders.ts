import { gzip } from '../../../../src/sample-registry/gzip.ts';
import { zstd } from '../../../../src/sample-registry/zstd.ts';
import { type BuiltRepository, layerWith } from '../../built-repository.ts';
import {
  artifact,
  cosignConfig,
  type DescribedTool,
  empty,
  image,
  index,
  on,
  otherDigest,
} from '../described-tool.ts';

const zero = '0001-01-01T00:00:00Z';
const epoch = '1970-01-01T00:00:00Z';
const nixTime = '1970-01-01T00:00:01+00:00';
const linux = { architecture: 'amd64', os: 'linux' };
const date = '2026-11-29';

/** Layers of the base image keep their compression, and the new one is of gzip. */
const twoCompressions = (built: BuiltRepository) => ({
  layers: [
    built.blob(
      'application/vnd.oci.image.layer.v1.tar+zstd',
      zstd(layerWith('base').tar, { contentSize: true }),
    ),
    built.blob('application/vnd.oci.image.layer.v1.tar+gzip', gzip(layerWith('top').tar)),
  ],
});

/** Builders that need no engine. */
export const builders: readonly DescribedTool[] = [
  {
    tool: 'kaniko',
    source: 'https://github.com/GoogleContainerTools/kaniko/blob/main/pkg/executor/build.go',
    date,
    images: {
      scratch: image(
        {
          ...linux,
          author: 'kaniko',
          created: zero,
          config: { Env: ['PATH=/bin'], Cmd: ['/top'] },
          history: [
            { author: 'kaniko', created: zero, created_by: 'COPY base /' },
            { author: 'kaniko', created: zero, created_by: 'COPY top /' },
          ],
        },
        { docker: true },
      ),
      'from a Docker base': image(
        {
          ...linux,
          author: 'kaniko',
          container: 'a'.repeat(64),
          created: zero,
          docker_version: '20.10.23',
          config: {
            Env: ['A=b'],
            Cmd: ['sh'],
            Image: otherDigest,
            WorkingDir: '/w',
            OnBuild: null,
            Labels: { a: 'b' },
          },
          history: [
            { created: zero, created_by: '/bin/sh -c #(nop) ADD file in /' },
            { author: 'kaniko', created: zero, created_by: 'ENV A=b', empty_layer: true },
            { author: 'kaniko', created: zero, created_by: 'RUN make' },
          ],
        },
        { docker: true },
      ),
      'cache entry': image(
        {
          ...linux,
          created: zero,
          config: {},
          history: [{ author: 'kaniko', created: zero, created_by: 'RUN make' }],
        },
        { docker: true, files: ['cached'] },
      ),
      'zstd layers': image(
        {
          ...linux,
          author: 'kaniko',
          created: zero,
          config: { Env: ['PATH=/bin'], Labels: { a: 'b' } },
          history: [
            { author: 'kaniko', created: zero, created_by: 'COPY base /' },
            { author: 'kaniko', created: zero, created_by: 'COPY top /' },
          ],
        },
        { layerType: 'application/vnd.oci.image.layer.v1.tar+zstd' },
      ),
      'with every instruction': image({
        ...linux,
        author: 'me',
        created: zero,
        config: {
          ArgsEscaped: true,
          Entrypoint: ['/top'],
          Env: ['A=b'],
          ExposedPorts: { '80/tcp': {} },
          Healthcheck: {
            Test: ['CMD', '/top'],
            Interval: 5_000_000_000,
            Timeout: 1,
            StartPeriod: 2,
            Retries: 3,
          },
          Labels: { a: 'b' },
          OnBuild: ['RUN x'],
          Shell: ['/bin/sh', '-e'],
          StopSignal: 'SIGINT',
          User: '1',
          Volumes: { '/v': {} },
          WorkingDir: '/w',
        },
        history: [
          { author: 'kaniko', created: zero, created_by: 'COPY base /' },
          { author: 'kaniko', created: zero, created_by: 'COPY top /' },
        ],
      }),
    },
  },
  {
    tool: 'jib',
    source:
      'https://github.com/GoogleContainerTools/jib/blob/master/jib-core/src/main/java/com/google/cloud/tools/jib/image/json/ImageToJsonTranslator.java',
    date,
    images: {
      docker: image(
        {
          created: epoch,
          ...linux,
          config: {
            Env: [],
            Entrypoint: ['java', '-cp', '/app', 'Main'],
            ExposedPorts: {},
            Labels: {},
            WorkingDir: '',
            Volumes: {},
          },
          history: ['dependencies', 'classes'].map((comment) => ({
            ...{ created: epoch, author: 'Jib', created_by: 'jib-maven-plugin:3.4.0', comment },
          })),
        },
        { docker: true },
      ),
      'docker with a health check': image(
        {
          created: epoch,
          ...linux,
          config: {
            Env: ['A=b'],
            Entrypoint: ['java'],
            Cmd: ['x'],
            Healthcheck: {
              Test: ['CMD', 'a'],
              Interval: 3_000_000_000,
              Timeout: 1,
              StartPeriod: 1,
              Retries: 3,
            },
            ExposedPorts: { '8080/tcp': {} },
            Labels: { a: 'b' },
            WorkingDir: '/w',
            User: '1000',
            Volumes: { '/v': {} },
          },
          history: [
            { created: epoch, created_by: 'base', empty_layer: true },
            { created: epoch, author: 'Jib', created_by: 'jib-gradle-plugin:3.4.0', comment: 'a' },
            { created: epoch, author: 'Jib', created_by: 'jib-gradle-plugin:3.4.0', comment: 'b' },
          ],
        },
        { docker: true },
      ),
      oci: image({
        created: epoch,
        ...linux,
        config: { Entrypoint: ['java'], Labels: { a: 'b' }, User: '1000' },
        history: ['dependencies', 'classes'].map((comment) => ({
          ...{ created: epoch, author: 'Jib', created_by: 'jib-core:0.27', comment },
        })),
      }),
      'a base of two compressions': image(
        {
          created: epoch,
          ...linux,
          config: { Entrypoint: ['java'], Cmd: ['x'], Labels: {}, Volumes: { '/v': {} } },
          history: [
            { created: epoch, created_by: 'base' },
            { created: epoch, author: 'Jib', created_by: 'jib-core:0.27', comment: 'classes' },
          ],
        },
        { manifest: twoCompressions },
      ),
      list: index(
        ['amd64', 'arm64'].map((architecture) => [
          image(
            {
              created: epoch,
              architecture,
              os: 'linux',
              config: { Entrypoint: ['java'] },
              history: ['dependencies', 'classes'].map((comment) => ({
                ...{ created: epoch, author: 'Jib', created_by: 'jib-maven-plugin:3.4.0', comment },
              })),
            },
            { docker: true },
          ),
          on(architecture),
        ]),
        { docker: true },
      ),
    },
  },
  {
    tool: 'ko',
    source: 'https://github.com/ko-build/ko/blob/main/pkg/build/gobuild.go',
    date,
    images: {
      index: index(
        [
          [
            image({
              ...linux,
              author: 'github.com/ko-build/ko',
              created: zero,
              history: [
                { created: zero },
                { author: 'ko', created: zero, created_by: 'ko build ko://x', comment: 'go build output' },
              ],
              config: {
                Entrypoint: ['/ko-app/x'],
                Env: ['KO_DATA_PATH=/var/run/ko'],
                User: '65532',
                WorkingDir: '/',
              },
            }),
            on('amd64'),
          ],
          [
            image(
              {
                architecture: 'arm64',
                os: 'linux',
                variant: 'v8',
                author: 'github.com/ko-build/ko',
                created: zero,
                history: [
                  {
                    ...{ author: 'ko', created: zero, created_by: 'ko build ko://x' },
                    comment: 'kodata contents, at $KO_DATA_PATH',
                  },
                  { author: 'ko', created: zero, created_by: 'ko build ko://x', comment: 'go build output' },
                ],
                config: { Entrypoint: ['/ko-app/x'] },
              },
              {
                manifest: {
                  annotations: {
                    'org.opencontainers.image.base.digest': otherDigest,
                    'org.opencontainers.image.base.name': 'cgr.dev/chainguard/static:latest',
                  },
                },
              },
            ),
            on('arm64', 'linux', { variant: 'v8' }),
          ],
        ],
        { members: { annotations: { 'org.opencontainers.image.base.name': 'static' } } },
      ),
      'for Windows': image(
        {
          architecture: 'amd64',
          os: 'windows',
          'os.version': '10.0.20348.1',
          author: 'github.com/ko-build/ko',
          created: zero,
          history: [
            { created: zero },
            { author: 'ko', created: zero, created_by: 'ko build ko://x', comment: 'go build output' },
          ],
          config: { Entrypoint: ['C:\\ko-app\\x.exe'], Env: ['KO_DATA_PATH=C:\\var\\run\\ko'] },
        },
        { docker: true },
      ),
      SBOM: artifact(
        ['application/vnd.oci.image.config.v1+json', cosignConfig],
        [['text/spdx+json', '{"spdxVersion":"SPDX-2.3"}']],
      ),
    },
  },
  {
    tool: 'rules_oci',
    source: 'https://github.com/bazel-contrib/rules_oci/blob/main/oci/private/image.sh',
    date,
    images: {
      image: image({ ...linux, config: { Entrypoint: ['/top'], Cmd: ['x'] } }, { indent: 2 }),
      annotated: image(
        {
          ...linux,
          variant: 'v2',
          config: { Env: ['A=b'], User: 'root', Labels: { a: 'b' } },
        },
        { files: ['base'], manifest: { annotations: { 'org.opencontainers.image.ref.name': 'x' } } },
      ),
      index: index([
        [image({ ...linux, config: {} }), on('amd64')],
        [image({ architecture: 'arm64', os: 'linux', config: {} }), on('arm64', 'linux', { variant: 'v8' })],
      ]),
    },
  },
  {
    tool: 'rules_docker',
    source: 'https://github.com/bazelbuild/rules_docker/blob/master/container/go/pkg/compat/config.go',
    date,
    images: {
      container_image: image(
        {
          ...linux,
          author: 'Bazel',
          created: epoch,
          config: {
            Entrypoint: ['/top'],
            Env: ['A=b'],
            ExposedPorts: { '80/tcp': {} },
            Labels: { a: 'b' },
            User: '1',
            WorkingDir: '/',
          },
          history: [
            { author: 'Bazel', created: epoch, created_by: 'bazel build ...' },
            { author: 'Bazel', created: epoch, created_by: 'bazel build ...' },
          ],
        },
        { docker: true },
      ),
      'with a foreign base': image(
        {
          architecture: 'amd64',
          os: 'windows',
          created: epoch,
          author: 'Bazel',
          'os.version': '10.0.17763.1',
          config: { Cmd: ['cmd'] },
          history: [
            { author: 'Bazel', created: epoch, created_by: 'bazel build ...' },
            { created: epoch, created_by: 'Apply image' },
          ],
        },
        {
          docker: true,
          layerType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
          layer: { urls: ['https://layers.example/one'] },
        },
      ),
    },
  },
  {
    tool: 'Nix dockerTools',
    source: 'https://github.com/NixOS/nixpkgs/blob/master/pkgs/build-support/docker/stream_layered_image.py',
    date,
    images: {
      streamLayeredImage: image({
        created: nixTime,
        ...linux,
        config: { Cmd: ['/bin/sh'] },
        history: [
          { created: nixTime, comment: "store paths: ['/nix/store/a']" },
          { created: nixTime, comment: 'b' },
        ],
      }),
      'from another image': image(
        {
          created: nixTime,
          ...linux,
          config: { Env: ['A=b'], Volumes: { '/data': {} }, ExposedPorts: { '1/tcp': {} }, WorkingDir: '/' },
          history: [
            { created: nixTime, comment: 'a' },
            { created: nixTime, comment: 'b' },
          ],
        },
        { docker: true },
      ),
    },
  },
  {
    tool: 'nix2container',
    source: 'https://github.com/nlewo/nix2container/blob/master/nix/image.go',
    date,
    images: {
      image: image(
        {
          created: zero,
          ...linux,
          config: { Entrypoint: ['/bin/x'] },
          history: [{ created_by: 'nix2container' }, { created_by: 'nix2container' }],
        },
        { layerType: 'application/vnd.oci.image.layer.v1.tar' },
      ),
    },
  },
  {
    tool: 'apko',
    source: 'https://github.com/chainguard-dev/apko/blob/main/pkg/build/oci/image.go',
    date,
    images: {
      'single layer': image(
        {
          ...linux,
          author: 'github.com/chainguard-dev/apko',
          created: epoch,
          history: [
            {
              author: 'apko',
              created: epoch,
              created_by: 'apko',
              comment: 'This is an apko single-layer image',
            },
          ],
          config: {
            Entrypoint: ['/bin/sh'],
            Env: ['PATH=/bin', 'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt'],
            Labels: { a: 'b' },
          },
        },
        { files: ['base'], manifest: { annotations: { 'org.opencontainers.image.created': epoch } } },
      ),
      'many layers': image(
        {
          architecture: 'arm',
          variant: 'v7',
          os: 'linux',
          author: 'github.com/chainguard-dev/apko',
          created: epoch,
          history: [
            { author: 'apko', created: epoch, created_by: 'apko' },
            { author: 'apko', created: epoch, created_by: 'apko' },
          ],
          config: {
            Cmd: ['x'],
            Env: ['A=b'],
            Labels: { a: 'b' },
            StopSignal: 'SIGQUIT',
            User: '65532',
            Volumes: { '/v': {} },
            WorkingDir: '/w',
          },
        },
        {
          manifest: {
            annotations: {
              'org.opencontainers.image.created': epoch,
              'org.opencontainers.image.revision': 'r',
              'org.opencontainers.image.source': 's',
            },
          },
        },
      ),
      'EROFS layers': artifact(
        [
          'application/vnd.oci.image.config.v1+json',
          {
            ...linux,
            author: 'github.com/chainguard-dev/apko',
            created: epoch,
            history: [{ author: 'apko', created: epoch, created_by: 'apko' }],
            rootfs: { type: 'layers', diff_ids: [otherDigest] },
            config: { Env: ['PATH=/bin'], Labels: { a: 'b' } },
            'os.features': ['erofs'],
          },
        ],
        [['application/vnd.erofs', 'erofs', { annotations: { 'org.erofs.role': 'overlay-lower' } }]],
        { annotations: { 'org.opencontainers.image.created': epoch } },
      ),
      index: index(
        [
          [
            image({
              ...linux,
              author: 'github.com/chainguard-dev/apko',
              created: epoch,
              config: { Env: ['PATH=/bin'], Labels: { a: 'b' } },
              history: [
                { author: 'apko', created: epoch, created_by: 'apko', comment: 'a by b' },
                { author: 'apko', created: epoch, created_by: 'apko', comment: 'a by b' },
              ],
            }),
            on('amd64'),
          ],
        ],
        {
          members: {
            annotations: {
              'org.opencontainers.image.created': epoch,
              'org.opencontainers.image.vendor': 'v',
            },
          },
        },
      ),
      SBOM: artifact(
        empty,
        [
          [
            'application/spdx+json',
            '{"SPDXID":"SPDXRef-DOCUMENT"}',
            { annotations: { 'org.opencontainers.image.title': 'sbom.spdx.json' } },
          ],
        ],
        { artifactType: 'application/spdx+json' },
      ),
    },
  },
  {
    tool: 'crane',
    source: 'https://github.com/google/go-containerregistry/blob/main/pkg/v1/config.go',
    date,
    images: {
      flatten: image(
        {
          ...linux,
          created: zero,
          history: [{ created: epoch, created_by: 'crane flatten sha256:5', comment: '[]' }],
          config: { Cmd: ['/top'] },
        },
        { files: ['base'] },
      ),
      mutate: image(
        {
          ...linux,
          created: zero,
          history: [{ created: zero }, { created: zero }],
          config: { Labels: { a: 'b' }, Entrypoint: ['/x'], ExposedPorts: { '1/tcp': {} } },
        },
        { docker: true, manifest: { annotations: { a: 'b' } } },
      ),
      rebase: image(
        {
          ...linux,
          created: zero,
          history: [
            { created: zero, created_by: 'a' },
            { created: zero, empty_layer: true },
            { created: zero, created_by: 'c' },
          ],
          config: { Cmd: ['/top'] },
        },
        {
          manifest: {
            annotations: {
              'org.opencontainers.image.base.digest': otherDigest,
              'org.opencontainers.image.base.name': 'base',
            },
          },
        },
      ),
      'index append': index(
        [
          [
            image(
              { ...linux, created: zero, history: [{ created: zero }, { created: zero }], config: {} },
              { docker: true },
            ),
            on('amd64'),
          ],
        ],
        { members: { annotations: { a: 'b' } } },
      ),
    },
  },
];
