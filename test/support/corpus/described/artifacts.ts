import {
  artifact,
  bareArtifactConfig,
  bareConfig,
  type DescribedTool,
  empty,
  image,
  index,
  on,
  otherDigest,
} from '../described-tool.ts';

const created = '2024-05-06T07:08:09Z';
const linux = { architecture: 'amd64', os: 'linux' };
const date = '2026-11-29';
const tarGzip = 'application/vnd.oci.image.layer.v1.tar+gzip';
const title = (name: string) => ({ annotations: { 'org.opencontainers.image.title': name } });
const plain = image({ ...linux, created, config: {} });
const fluxAnnotations = {
  'org.opencontainers.image.created': created,
  'org.opencontainers.image.revision': 'main@sha1:x',
  'org.opencontainers.image.source': 's',
};

/** Artifacts of tools that push any file, and of those that deploy one. */
export const artifacts: readonly DescribedTool[] = [
  {
    tool: 'Helm',
    source: 'https://github.com/helm/helm/blob/main/pkg/registry/constants.go',
    date,
    images: {
      'chart of Helm 3.8': artifact(
        ['application/vnd.cncf.helm.config.v1+json', { name: 'c', version: '1.0.0', apiVersion: 'v2' }],
        [['application/vnd.cncf.helm.chart.content.v1.tar+gzip', 'chart']],
        { mediaType: undefined },
      ),
      'chart with provenance': artifact(
        [
          'application/vnd.cncf.helm.config.v1+json',
          {
            name: 'c',
            version: '1.0.0',
            apiVersion: 'v2',
            description: 'd',
            type: 'application',
            appVersion: '1',
            maintainers: [{ name: 'm' }],
            dependencies: [{ name: 'd', version: '1', repository: 'r' }],
          },
        ],
        [
          ['application/vnd.cncf.helm.chart.content.v1.tar+gzip', 'chart'],
          ['application/vnd.cncf.helm.chart.provenance.v1.prov', 'signed'],
        ],
        {
          annotations: {
            'org.opencontainers.image.created': created,
            'org.opencontainers.image.title': 'c',
            'org.opencontainers.image.version': '1.0.0',
          },
        },
      ),
      plugin: artifact(
        ['application/vnd.oci.empty.v1+json', {}],
        [
          ['application/vnd.oci.image.layer.v1.tar', 'plugin', title('p.tgz')],
          ['application/vnd.oci.image.layer.v1.tar', 'p', title('p.tgz.prov')],
        ],
        { artifactType: 'application/vnd.helm.plugin.v1+json' },
      ),
    },
  },
  {
    tool: 'ORAS',
    source: 'https://github.com/oras-project/oras/blob/main/cmd/oras/root/push.go',
    date,
    images: {
      'a file': artifact(
        [empty[0], {}, { data: 'e30=' }],
        [['application/vnd.oci.image.layer.v1.tar', 'hi', title('artifact.txt')]],
        {
          artifactType: 'application/vnd.unknown.artifact.v1',
          annotations: { 'org.opencontainers.image.created': created },
        },
      ),
      'a folder': artifact(
        ['application/vnd.unknown.config.v1+json', {}],
        [
          [
            tarGzip,
            'tar',
            {
              annotations: {
                'io.deis.oras.content.digest': otherDigest,
                'io.deis.oras.content.unpack': 'true',
                'org.opencontainers.image.title': 'folder',
              },
            },
          ],
        ],
      ),
      'a config of its own': artifact(
        ['application/vnd.acme.rocket.config.v1+json', { name: 'x' }],
        [
          ['text/plain', 'hi', title('a')],
          ['text/markdown', '# hi', title('b')],
        ],
        { annotations: { a: 'b' } },
      ),
      attached: async (built) => {
        const subject = await plain(built);
        return artifact(empty, [['application/spdx+json', '{}', title('sbom.json')]], {
          artifactType: 'sbom/example',
          subject,
          annotations: { 'org.opencontainers.image.created': created },
        })(built);
      },
      'nothing but annotations': artifact(
        [empty[0], {}, { data: 'e30=' }],
        [[empty[0], '{}', { data: 'e30=' }]],
        {
          artifactType: 'application/vnd.example',
          annotations: { 'org.opencontainers.image.created': created, x: 'y' },
        },
      ),
      'an index': index(
        [
          [
            artifact(empty, [['text/plain', 'a']], { artifactType: 'application/vnd.a' }),
            { artifactType: 'application/vnd.a' },
          ],
          [artifact(empty, [['text/x-b', 'b']], { artifactType: 'application/vnd.b' }), {}],
        ],
        { members: { artifactType: 'application/vnd.list' } },
      ),
      'the referrers of an image': index([
        [
          artifact(empty, [['text/plain', 'r']], { artifactType: 'application/vnd.r' }),
          { annotations: { 'org.opencontainers.image.created': created }, artifactType: 'application/vnd.r' },
        ],
      ]),
    },
  },
  {
    tool: 'Docker Compose',
    source: 'https://github.com/docker/compose/blob/main/internal/oci/push.go',
    date,
    images: {
      'OCI 1.1': artifact(
        [empty[0], {}, { data: 'e30=' }],
        [
          [
            'application/vnd.docker.compose.file+yaml',
            'services: {}',
            {
              annotations: { 'com.docker.compose.file': 'compose.yaml', 'com.docker.compose.version': 'v2' },
              data: 'c2VydmljZXM6IHt9',
            },
          ],
        ],
        {
          artifactType: 'application/vnd.docker.compose.project',
          annotations: { 'org.opencontainers.image.created': created },
        },
      ),
      'OCI 1.0 with an environment': artifact(
        ['application/vnd.docker.compose.config.empty.v1+json', {}, { data: 'e30=' }],
        [
          [
            'application/vnd.docker.compose.file+yaml',
            'services: {}',
            {
              annotations: { 'com.docker.compose.file': 'compose.yaml', 'com.docker.compose.version': 'v2' },
              data: 'c2VydmljZXM6IHt9',
            },
          ],
          [
            'application/vnd.docker.compose.envfile',
            'A=b',
            {
              annotations: { 'com.docker.compose.envfile': '.env', 'com.docker.compose.version': 'v2' },
              data: 'QT1i',
            },
          ],
        ],
        { annotations: { 'org.opencontainers.image.created': created } },
      ),
    },
  },
  {
    tool: 'Flux',
    source: 'https://github.com/fluxcd/pkg/blob/main/oci/push.go',
    date,
    images: {
      artifact: artifact(
        ['application/vnd.cncf.flux.config.v1+json', { ...bareArtifactConfig(['yaml']), created }],
        [['application/vnd.cncf.flux.content.v1.tar+gzip', 'yaml']],
        { annotations: fluxAnnotations },
      ),
      'a file of another type': artifact(
        ['application/vnd.cncf.flux.config.v1+json', { ...bareArtifactConfig(['{}']), created }],
        [['application/vnd.cncf.flux.content.v1.json', '{}']],
        { annotations: { ...fluxAnnotations, 'org.example.team': 't' } },
      ),
      'before 0.40': image(
        { ...bareConfig(1), created },
        { docker: true, files: ['yaml'], manifest: { annotations: { created, revision: 'r', source: 's' } } },
      ),
    },
  },
  {
    tool: 'Apptainer',
    source: 'https://github.com/apptainer/apptainer/blob/main/internal/pkg/client/oras/image.go',
    date,
    images: {
      SIF: artifact(
        ['application/vnd.sylabs.sif.config.v1+json', {}, { data: 'e30=' }],
        [['application/vnd.sylabs.sif.layer.v1.sif', 'SIF', title('image.sif')]],
        { annotations: { 'org.opencontainers.image.created': created } },
      ),
      'SIF of Singularity 3': artifact(
        ['application/vnd.sylabs.sif.config.v1+json', {}],
        [['appliciation/vnd.sylabs.sif.layer.tar', 'SIF', title('image.sif')]],
        { mediaType: undefined },
      ),
    },
  },
  {
    tool: 'Podman 5',
    source: 'https://github.com/containers/container-libs/blob/main/common/pkg/libartifact/store.go',
    date,
    images: {
      'artifact add': artifact(
        [empty[0], {}, { data: 'e30=' }],
        [['application/octet-stream', 'x', title('file')]],
        {
          artifactType: 'application/vnd.unknown.artifact.v1',
          annotations: { 'org.opencontainers.image.created': created },
        },
      ),
      'artifact add without a type': artifact(
        [empty[0], {}, { data: 'e30=' }],
        [['text/plain; charset=utf-8', 'x', title('file')]],
        { annotations: { 'org.opencontainers.image.created': created } },
      ),
      'machine disk': index([
        [
          artifact(
            [empty[0], {}],
            [['application/zstd', 'disk', title('podman-machine.x86_64.qemu.qcow2.zst')]],
            { annotations: { disktype: 'qemu' } },
          ),
          { ...on('x86_64'), annotations: { disktype: 'qemu' } },
        ],
      ]),
    },
  },
];
