import { mediaTypes } from '../../../../converters/index.ts';
import { gzip } from '../../../../src/sample-registry/gzip.ts';
import { layerWith } from '../../built-repository.ts';
import {
  artifact,
  bareConfig,
  type DescribedTool,
  image,
  index,
  on,
  otherDigest,
} from '../described-tool.ts';

const created = '1980-01-01T00:00:01Z';
const now = '2024-05-06T07:08:09Z';
const linux = { architecture: 'amd64', os: 'linux' };
const date = '2026-11-29';
const foreign = {
  docker: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  oci: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
};
const spdxRoot = { type: 'layers', diff_ids: [otherDigest] };
const urls = { urls: ['https://layers.example/base'] };

/** Buildpacks, platforms that build from sources, operating systems in images, and Windows. */
export const platforms: readonly DescribedTool[] = [
  {
    tool: 'Cloud Native Buildpacks lifecycle',
    source: 'https://github.com/buildpacks/spec/blob/main/platform.md',
    date,
    images: {
      app: image(
        {
          ...linux,
          created,
          config: {
            Cmd: [''],
            Entrypoint: ['/cnb/process/web'],
            Env: ['CNB_LAYERS_DIR=/layers'],
            Labels: { 'io.buildpacks.lifecycle.metadata': '{}' },
            User: '1000:1000',
            WorkingDir: '/workspace',
          },
          history: [{ created }, { created, created_by: 'Layer: launcher' }],
        },
        { docker: true },
      ),
      'app in an OCI layout': image(
        {
          ...linux,
          created,
          config: { Entrypoint: ['/cnb/lifecycle/launcher'], Env: ['A=b'], Labels: { a: 'b' } },
          history: [
            { created, created_by: '' },
            { created, created_by: 'Layer: app' },
          ],
        },
        {
          manifest: {
            annotations: {
              'org.opencontainers.image.base.name': 'run',
              'org.opencontainers.image.ref.name': 'latest',
            },
          },
        },
      ),
      'run image': image(
        {
          ...linux,
          created,
          'os.version': '22.04',
          config: { Labels: { 'io.buildpacks.stack.id': 'x' }, User: '1' },
          history: [{ created, created_by: 'a' }, { created }],
        },
        { docker: true },
      ),
      'cache image': image(
        {
          architecture: '',
          created,
          os: 'linux',
          config: { Labels: { 'io.buildpacks.lifecycle.cache.metadata': '{}' } },
          history: [{ created }, { created }],
        },
        { docker: true },
      ),
    },
  },
  {
    tool: 'pack',
    source: 'https://github.com/buildpacks/imgutil/blob/main/cnb_image.go',
    date,
    images: {
      builder: image(
        {
          ...linux,
          created,
          config: {
            Env: ['CNB_USER_ID=1'],
            Labels: { 'io.buildpacks.builder.metadata': '{}' },
            User: 'root',
            WorkingDir: '/layers',
          },
          history: [{ created }, { created }],
        },
        { docker: true },
      ),
      'buildpackage for many': index([
        [
          image({ ...linux, created, config: { Labels: { a: 'b' } }, history: [{ created }, { created }] }),
          on('amd64', 'linux', { 'os.version': '22.04' }),
        ],
        [
          image({
            architecture: 'arm64',
            variant: 'v8',
            os: 'linux',
            created,
            config: { Labels: { a: 'b' } },
            history: [{ created }, { created }],
          }),
          on('arm64', 'linux', { variant: 'v8' }),
        ],
      ]),
    },
  },
  {
    tool: 'source-to-image',
    source: 'https://github.com/openshift/source-to-image/blob/master/pkg/docker/docker.go',
    date,
    images: {
      committed: image(
        {
          ...linux,
          author: 'me',
          config: {
            Hostname: '',
            User: '1001',
            Env: ['A=b'],
            Cmd: ['/usr/libexec/s2i/run'],
            Labels: { 'io.openshift.s2i.scripts-url': 'x' },
            Image: 'builder',
            ArgsEscaped: false,
            AttachStderr: false,
            OpenStdin: true,
            StdinOnce: false,
            Tty: false,
          },
          container: 'd'.repeat(64),
          container_config: { User: '1001', Cmd: ['/bin/sh', '-c', 'tar'], Labels: { a: 'b' } },
          created: now,
          docker_version: '1.13.1',
          history: [
            { created: now, created_by: 'a' },
            { author: 'me', comment: 'c', created: now, created_by: '/bin/sh -c tar' },
          ],
        },
        { docker: true },
      ),
      'OpenShift build': image(
        {
          ...linux,
          id: 'e'.repeat(64),
          parent: otherDigest,
          created: now,
          container_config: {},
          config: { Labels: { 'io.openshift.build.name': 'x' }, Env: ['OPENSHIFT_BUILD_NAME=x'] },
          Size: 5,
          history: [{ created: now }, { created: now, comment: 'FROM registry' }],
        },
        { docker: true },
      ),
    },
  },
  {
    tool: 'LinuxKit',
    source: 'https://github.com/linuxkit/linuxkit/blob/master/src/cmd/linuxkit/pkglib/build.go',
    date,
    images: {
      package: index(
        [
          [
            image({
              ...linux,
              created: now,
              config: {
                Entrypoint: ['/x'],
                Env: ['PATH=/bin'],
                Labels: { 'org.mobyproject.config': '{}', 'org.mobyproject.linuxkit.revision': 'r' },
              },
              history: [
                { created: now, created_by: 'COPY base /', comment: 'buildkit.dockerfile.v0' },
                { created: now, created_by: 'COPY top /', comment: 'buildkit.dockerfile.v0' },
              ],
            }),
            on('amd64'),
          ],
          [
            artifact(
              ['application/vnd.oci.image.config.v1+json', { ...bareConfig(0), rootfs: spdxRoot }],
              [
                [
                  'application/vnd.in-toto+json',
                  '{}',
                  { annotations: { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' } },
                ],
              ],
            ),
            {
              annotations: {
                'vnd.docker.reference.digest': otherDigest,
                'vnd.docker.reference.type': 'attestation-manifest',
              },
              ...on('unknown', 'unknown'),
            },
          ],
        ],
        { untyped: true },
      ),
    },
  },
  {
    tool: 'bootc and ostree',
    source: 'https://github.com/containers/bootc/blob/main/ostree-ext/src/container/encapsulate.rs',
    date,
    images: {
      encapsulated: image(
        {
          ...linux,
          created: now,
          config: {
            Labels: { 'containers.bootc': '1', 'ostree.commit': 'c', 'ostree.final-diffid': otherDigest },
            Cmd: ['/sbin/init'],
          },
          history: [
            { created: now, created_by: 'ostree export of commit c' },
            { created: now, comment: 'Reserved for new packages' },
          ],
        },
        {
          layer: { annotations: { 'ostree.components': 'kernel' } },
          manifest: { annotations: { 'containers.bootc': '1', 'ostree.commit': 'c', version: '1' } },
        },
      ),
      'derived by Containerfile': image(
        {
          ...linux,
          created: now,
          config: {
            Labels: { 'ostree.bootable': 'true', version: '1' },
            StopSignal: 'SIGRTMIN+3',
            Env: ['container=oci'],
          },
          history: [
            { created: now, created_by: 'x', author: 'me' },
            { created: now, created_by: 'y', empty_layer: true },
            { comment: 'FROM x' },
          ],
        },
        { manifest: { annotations: { 'ostree.manifest-digest': otherDigest } } },
      ),
    },
  },
  {
    tool: 'Flatpak before 1.6',
    source: 'https://github.com/flatpak/flatpak/pull/3294',
    date,
    images: {
      app: image(
        {
          created: now,
          ...linux,
          config: {
            Memory: 0,
            MemorySwap: 0,
            CpuShares: 0,
            Labels: { 'org.flatpak.ref': 'app/a/x86_64/b', 'org.flatpak.metadata': '[Application]' },
          },
          history: [{ created: now, created_by: 'flatpak build-bundle' }],
        },
        {
          files: ['app'],
          manifest: {
            annotations: { 'org.flatpak.ref': 'app/a/x86_64/b', 'org.flatpak.installed-size': '1' },
          },
        },
      ),
      'runtime in Fedora': image(
        {
          created: now,
          ...linux,
          author: '',
          config: { Labels: { 'org.flatpak.subject': 's', 'org.freedesktop.appstream.icon-64': 'data:' } },
          history: [{ created: now }],
        },
        { docker: true, files: ['runtime'] },
      ),
    },
  },
  {
    tool: 'KubeVirt',
    source: 'https://github.com/kubevirt/user-guide/blob/main/docs/storage/disks_and_volumes.md',
    date,
    images: {
      containerDisk: image(
        {
          ...linux,
          created: now,
          config: { User: '107:107', Labels: { a: 'b' } },
          history: [{ created: now, created_by: 'ADD disk.qcow2 /disk/' }],
        },
        { docker: true, files: ['disk'] },
      ),
      'with an environment for preferences': image(
        {
          ...linux,
          created: now,
          config: { Env: ['INSTANCETYPE_KUBEVIRT_IO_DEFAULT_PREFERENCE=fedora'], User: '107' },
          history: [{ created: now, created_by: 'a', author: 'Bazel' }],
        },
        { files: ['disk'] },
      ),
    },
  },
  {
    tool: 'Windows base images',
    source: 'https://github.com/distribution/distribution/blob/main/docs/content/spec/manifest-v2-2.md',
    date,
    images: {
      'nanoserver of 2017': image(
        {
          architecture: 'amd64',
          os: 'windows',
          'os.version': '10.0.14393.1',
          created: now,
          config: { Cmd: ['cmd'] },
          history: [
            { created: now, created_by: 'Apply image 10.0.14393.0' },
            { created: now, created_by: 'Install update' },
          ],
        },
        { docker: true, layerType: foreign.docker, layer: urls },
      ),
      nondistributable: image(
        {
          architecture: 'amd64',
          os: 'windows',
          'os.version': '10.0.17763.1',
          'os.features': ['win32k'],
          created: now,
          config: { Cmd: ['cmd'] },
          history: [
            { created: now, comment: 'a' },
            { created: now, comment: 'b' },
          ],
        },
        { layerType: foreign.oci, layer: urls },
      ),
      list: index(
        [
          [
            image(
              {
                architecture: 'amd64',
                os: 'windows',
                'os.version': '10.0.17763.1',
                created: now,
                config: {},
              },
              { docker: true },
            ),
            on('amd64', 'windows', {
              'os.version': '10.0.17763.1',
              'os.features': ['win32k'],
              features: ['x'],
            }),
          ],
        ],
        { docker: true },
      ),
    },
  },
  {
    tool: 'Docker for Windows',
    source: 'https://github.com/moby/moby/blob/v20.10.24/builder/dockerfile/dispatchers_windows.go',
    date,
    images: {
      'built on a foreign base': image(
        {
          architecture: 'amd64',
          os: 'windows',
          'os.version': '10.0.17763.5329',
          created: now,
          docker_version: '20.10.9',
          container: 'f'.repeat(64),
          config: {
            Hostname: 'h',
            Cmd: ['cmd'],
            ArgsEscaped: true,
            Shell: ['powershell', '-Command'],
            OnBuild: [],
            Labels: {},
          },
          container_config: { Cmd: ['cmd', '/S'], Shell: ['powershell'] },
          history: [
            { created: now, created_by: 'Apply image' },
            { created: now, created_by: 'cmd /S /C x' },
          ],
        },
        {
          docker: true,
          manifest: (built) => {
            const [lower, upper] = ['base', 'top'].map((file) => gzip(layerWith(file).tar)) as [
              Uint8Array,
              Uint8Array,
            ];
            return {
              layers: [
                { ...built.blob(foreign.docker, lower), ...urls },
                built.blob(mediaTypes.dockerLayerGzip, upper),
              ],
            };
          },
        },
      ),
    },
  },
  {
    tool: 'distribution',
    source: 'https://github.com/distribution/distribution/blob/main/docs/content/spec/manifest-v2-2.md',
    date,
    images: {
      'schema 2 with urls': image(
        { ...linux, created: now, config: {}, comment: 'x' },
        { docker: true, layer: { urls: ['https://a.example/x', 'https://b.example/y'] } },
      ),
      'a plugin of Docker': image(
        {
          description: 'd',
          documentation: 'u',
          entrypoint: ['/p'],
          interface: { types: ['docker.volumedriver/1.0'], socket: 'p.sock' },
        },
        { docker: true, configType: 'application/vnd.docker.plugin.v1+json', files: ['plugin'] },
      ),
      'an example index': index(
        [
          [
            image({ architecture: 'ppc64le', os: 'linux', config: {}, created: now }, { docker: true }),
            on('ppc64le'),
          ],
          [
            image({ ...linux, config: {}, created: now }, { docker: true }),
            on('amd64', 'linux', { features: ['sse4'] }),
          ],
        ],
        { docker: true },
      ),
    },
  },
];
