import { artifact, type DescribedTool, empty, image, index, on, otherDigest } from '../described-tool.ts';

const created = '2024-05-06T07:08:09Z';
const linux = { architecture: 'amd64', os: 'linux' };
const date = '2026-11-29';
const ociConfig = 'application/vnd.oci.image.config.v1+json';
const tarGzip = 'application/vnd.oci.image.layer.v1.tar+gzip';
const title = (name: string) => ({ annotations: { 'org.opencontainers.image.title': name } });
const plain = image({ ...linux, created, config: {} });

/** Packages of Kubernetes, of WebAssembly and of other programs. */
export const artifacts: readonly DescribedTool[] = [
  {
    tool: 'Helm',
    source: 'https://helm.sh/docs/topics/registries/',
    date,
    images: {
      chart: artifact(
        ['application/vnd.cncf.helm.config.v1+json', { name: 'c', version: '1.0.0', apiVersion: 'v2' }],
        [['application/vnd.cncf.helm.chart.content.v1.tar+gzip', 'chart']],
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
    source: 'https://oras.land/docs/how_to_guides/pushing_and_pulling',
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
    tool: 'WebAssembly',
    source: 'https://docs.rs/crate/oci-wasm/latest/source/src/config.rs',
    date,
    images: {
      component: artifact(
        [
          'application/vnd.wasm.config.v0+json',
          {
            created,
            author: null,
            architecture: 'wasm',
            os: 'wasip2',
            layerDigests: [otherDigest],
            component: { exports: ['a'], imports: ['b'], target: null },
          },
        ],
        [['application/wasm', '\0asm']],
      ),
      module: artifact(
        [
          'application/vnd.wasm.config.v0+json',
          { created, architecture: 'wasm', os: 'wasip1', layerDigests: [otherDigest] },
        ],
        [['application/wasm', '\0asm']],
        { annotations: { 'org.opencontainers.image.created': created } },
      ),
      'wasm-to-oci': artifact(
        ['application/vnd.wasm.config.v1+json', {}],
        [['application/vnd.wasm.content.layer.v1+wasm', '\0asm', title('hello.wasm')]],
      ),
      spin: artifact(
        [
          'application/vnd.fermyon.spin.application.v1+config',
          { spinVersion: '1', locked: { components: [{ id: 'a' }] } },
        ],
        [
          ['application/vnd.wasm.content.layer.v1+wasm', '\0asm'],
          ['application/vnd.wasm.content.layer.v1+data', 'data'],
        ],
      ),
      'wasmCloud provider': artifact(
        ['application/vnd.wasmcloud.provider.archive.config', {}],
        [['application/vnd.wasmcloud.provider.archive.layer.v1+par', 'par']],
        { annotations: { 'org.opencontainers.image.title': 'x' } },
      ),
      'an image for containerd-shim': image(
        {
          architecture: 'wasm',
          os: 'wasip1',
          created,
          config: { Entrypoint: ['/a.wasm'], Labels: { 'module.wasm.image/variant': 'compat-smart' } },
          history: [{ created, created_by: 'COPY a.wasm /' }],
        },
        { files: ['a.wasm'], manifest: { annotations: { 'module.wasm.image/variant': 'compat' } } },
      ),
      'Kubewarden policy': artifact(
        ['application/vnd.wasm.config.v1+json', { rules: [] }],
        [['application/vnd.wasm.content.layer.v1+wasm', '\0asm']],
        { annotations: { 'io.kubewarden.policy.title': 'x' } },
      ),
      'Envoy extension': artifact(
        ['application/vnd.module.wasm.config.v1+json', { name: 'x', type: 'envoy_proxy' }],
        [['application/vnd.module.wasm.content.layer.v1+wasm', '\0asm', title('plugin.wasm')]],
      ),
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
    source: 'https://fluxcd.io/flux/cheatsheets/oci-artifacts',
    date,
    images: {
      artifact: artifact(
        ['application/vnd.cncf.flux.config.v1+json', {}],
        [['application/vnd.cncf.flux.content.v1.tar+gzip', 'yaml']],
        {
          annotations: {
            'org.opencontainers.image.created': created,
            'org.opencontainers.image.revision': 'main@sha1:x',
            'org.opencontainers.image.source': 's',
          },
        },
      ),
      'before 0.40': image(
        { architecture: '', created, history: [{ created }], os: '', config: {} },
        { docker: true, files: ['yaml'], manifest: { annotations: { created, revision: 'r', source: 's' } } },
      ),
    },
  },
  {
    tool: 'Kubernetes packages',
    source: 'https://tag-app-delivery.cncf.io/whitepapers/',
    date,
    images: {
      Timoni: artifact(
        ['application/vnd.timoni.config.v1+json', {}],
        [
          [
            'application/vnd.timoni.content.v1.tar+gzip',
            'm',
            { annotations: { 'sh.timoni.content.type': 'module' } },
          ],
          [
            'application/vnd.timoni.content.v1.tar+gzip',
            'v',
            { annotations: { 'sh.timoni.content.type': 'vendor' } },
          ],
        ],
        { annotations: { 'org.opencontainers.image.version': '1' } },
      ),
      'Tekton bundle': image(
        { architecture: '', created, os: '', config: {}, history: [{}] },
        {
          files: ['task'],
          layer: {
            annotations: {
              'dev.tekton.image.apiVersion': 'v1',
              'dev.tekton.image.kind': 'task',
              'dev.tekton.image.name': 'n',
            },
          },
        },
      ),
      'Crossplane package': image(
        {
          ...linux,
          created,
          config: { Labels: { 'io.crossplane.xpkg': 'base' }, ExposedPorts: { '8080/tcp': {} } },
          history: [{ created }, { created, comment: 'x' }],
        },
        { layer: { annotations: { 'io.crossplane.xpkg': 'base' } } },
      ),
      'OLM bundle': image({
        ...linux,
        config: { Labels: { 'operators.operatorframework.io.bundle.mediatype.v1': 'registry+v1' } },
        created,
        history: [
          { created, created_by: 'COPY manifests' },
          { created, created_by: 'COPY metadata', author: 'x' },
        ],
      }),
      Zarf: artifact(
        [
          'application/vnd.zarf.config.v1+json',
          { architecture: 'amd64', ociVersion: '1.0.1', annotations: { a: 'b' } },
        ],
        [['application/vnd.zarf.layer.v1.blob', 'zarf.yaml', title('zarf.yaml')]],
        { annotations: { 'org.opencontainers.image.description': 'd' } },
      ),
      'Zarf index': index([
        [
          artifact(
            ['application/vnd.zarf.config.v1+json', { architecture: 'arm64' }],
            [['application/vnd.zarf.layer.v1.blob', 'z', title('a')]],
          ),
          on('arm64', 'multi'),
        ],
      ]),
      'CNAB bundle': index(
        [
          [
            artifact(
              [
                'application/vnd.cnab.config.v1+json',
                { schemaVersion: 'v1.0.0', name: 'x', invocationImages: [{ image: 'i' }] },
              ],
              [],
              { layers: null },
            ),
            { annotations: { 'io.cnab.manifest.type': 'config' } },
          ],
          [plain, { annotations: { 'io.cnab.manifest.type': 'invocation' } }],
        ],
        {
          untyped: true,
          members: {
            annotations: {
              'io.cnab.runtime_version': 'v1',
              'io.docker.app.format': 'cnab',
              'org.opencontainers.artifactType': 'application/vnd.cnab.manifest.v1',
            },
          },
        },
      ),
      Kyverno: artifact(
        [ociConfig, {}],
        [
          [
            'application/vnd.cncf.kyverno.policy.layer.v1+yaml',
            'p',
            {
              annotations: {
                'io.kyverno.image.apiVersion': 'v1',
                'io.kyverno.image.kind': 'ClusterPolicy',
                'io.kyverno.image.name': 'n',
              },
            },
          ],
        ],
      ),
      OPA: image(
        { rootfs: undefined },
        {
          files: ['bundle'],
          layer: title('bundle.tar.gz'),
          manifest: { annotations: { 'org.openpolicyagent.bundle': 'x' } },
        },
      ),
      conftest: artifact(
        ['application/vnd.cncf.openpolicyagent.config.v1+json', {}],
        [
          ['application/vnd.cncf.openpolicyagent.policy.layer.v1+rego', 'package a', title('a.rego')],
          ['application/vnd.cncf.openpolicyagent.data.layer.v1+json', '{}', title('d.json')],
        ],
      ),
      'Inspektor Gadget': index([
        [
          artifact(
            ['application/vnd.gadget.config.v1+yaml', { name: 'x' }],
            [
              ['application/vnd.gadget.ebpf.program.v1+binary', 'ELF'],
              ['application/vnd.gadget.wasm.program.v1+binary', 'w'],
            ],
            { annotations: { 'org.opencontainers.image.title': 'x' } },
          ),
          on('amd64'),
        ],
      ]),
      bpfman: image(
        {
          architecture: 'amd64',
          os: 'linux',
          created,
          config: { Labels: { 'io.ebpf.programs': '{}' } },
          history: [{ created, created_by: 'COPY x.o', comment: 'buildkit' }],
        },
        { files: ['x.o'], manifest: { annotations: { 'io.ebpf.bytecode': 'x' } } },
      ),
      OCM: artifact(
        [
          'application/vnd.ocm.software.component.config.v1+json',
          { componentDescriptorLayer: { digest: otherDigest, size: 1 } },
        ],
        [['application/vnd.ocm.software.component-descriptor.v2+yaml+tar', 'cd']],
        { annotations: { 'software.ocm.componentversion': 'x' } },
      ),
    },
  },
  {
    tool: 'Security scanners',
    source: 'https://trivy.dev/latest/docs/configuration/db/',
    date,
    images: {
      'Trivy database': artifact(
        ['application/vnd.aquasec.trivy.config.v1+json', {}],
        [['application/vnd.aquasec.trivy.db.layer.v1.tar+gzip', 'db', title('db.tar.gz')]],
        { annotations: { 'org.opencontainers.image.created': created } },
      ),
      'Trivy Java database': artifact(
        ['application/vnd.aquasec.trivy.config.v1+json', {}],
        [['application/vnd.aquasec.trivy.javadb.layer.v1.tar+gzip', 'db', title('javadb.tar.gz')]],
      ),
      'Falco rules': artifact(
        [
          'application/vnd.cncf.falco.rulesfile.config.v1+json',
          {
            name: 'r',
            version: '1',
            dependencies: [{ name: 'p', version: '1', alternatives: [{ name: 'q' }] }],
            requirements: [{ name: 'engine', version: '1' }],
          },
        ],
        [['application/vnd.cncf.falco.rulesfile.layer.v1+tar.gz', 'r', title('r.tar.gz')]],
      ),
      'Falco plugin': index([
        [
          artifact(
            ['application/vnd.cncf.falco.plugin.config.v1+json', { name: 'p', version: '1' }],
            [['application/vnd.cncf.falco.plugin.layer.v1+tar.gz', 'p', title('p.tar.gz')]],
          ),
          on('amd64'),
        ],
      ]),
      'Artifact Hub metadata': artifact(
        ['application/vnd.cncf.artifacthub.config.v1+yaml', {}],
        [
          [
            'application/vnd.cncf.artifacthub.repository-metadata.layer.v1.yaml',
            'y',
            title('artifacthub-repo.yml'),
          ],
        ],
      ),
    },
  },
  {
    tool: 'Package managers',
    source: 'https://github.com/Homebrew/brew/blob/master/Library/Homebrew/github_packages.rb',
    date,
    images: {
      'Homebrew bottle': index(
        [
          [
            image(
              { architecture: 'arm64', os: 'darwin', 'os.version': 'macOS 14' },
              {
                untyped: true,
                indent: 2,
                files: ['bottle'],
                layer: title('x.bottle.tar.gz'),
                manifest: {
                  annotations: {
                    'com.github.package.type': 'homebrew_bottle',
                    'org.opencontainers.image.ref.name': '1',
                    'sh.brew.bottle.digest': 'd',
                    'sh.brew.bottle.size': '1',
                    'sh.brew.tab': '{}',
                  },
                },
              },
            ),
            {
              ...on('arm64', 'darwin', { 'os.version': 'macOS 14' }),
              annotations: {
                'org.opencontainers.image.ref.name': '1',
                'sh.brew.bottle.digest': 'd',
                'sh.brew.bottle.size': '1',
                'sh.brew.tab': '{}',
              },
            },
          ],
          [
            image(
              { architecture: 'amd64', os: 'linux', 'os.version': 'Ubuntu 22.04' },
              {
                untyped: true,
                indent: 2,
                files: ['bottle'],
                layer: title('y.bottle.tar.gz'),
                manifest: {
                  annotations: {
                    'com.github.package.type': 'homebrew_bottle',
                    'sh.brew.bottle.cpu.variant': 'core2',
                    'sh.brew.bottle.glibc.version': '2.35',
                  },
                },
              },
            ),
            {
              ...on('amd64', 'linux', { 'os.version': 'Ubuntu 22.04' }),
              annotations: { 'sh.brew.bottle.cpu.variant': 'core2', 'sh.brew.bottle.glibc.version': '2.35' },
            },
          ],
        ],
        {
          untyped: true,
          members: {
            annotations: {
              'com.github.package.type': 'homebrew_bottle',
              'org.opencontainers.image.license': 'MIT',
            },
          },
        },
      ),
      'Conda package': artifact(
        ['application/vnd.unknown.config.v1+json', { name: 'conda' }],
        [
          ['application/vnd.conda.package.v2', 'c', title('p.conda')],
          ['application/vnd.conda.info.v1.tar+gzip', 'i', title('info.tar.gz')],
          ['application/vnd.conda.info.index.v1+json', '{}', title('index.json')],
        ],
      ),
      'Dev container feature': artifact(
        ['application/vnd.devcontainers', {}],
        [['application/vnd.devcontainers.layer.v1+tar', 'f', title('f.tgz')]],
        {
          annotations: { 'com.github.package.type': 'devcontainer_feature', 'dev.containers.metadata': '{}' },
        },
      ),
      'Dev container collection': artifact(
        ['application/vnd.devcontainers', {}],
        [
          [
            'application/vnd.devcontainers.collection.layer.v1+json',
            '{}',
            title('devcontainer-collection.json'),
          ],
        ],
        { annotations: { 'com.github.package.type': 'devcontainer_collection' } },
      ),
      'GitHub Action': artifact(
        ['application/vnd.oci.empty.v1+json', {}],
        [
          ['application/vnd.github.actions.package.layer.v1.tar+gzip', 't', title('a.tar.gz')],
          ['application/vnd.github.actions.package.layer.v1.zip', 'z', title('a.zip')],
        ],
        {
          artifactType: 'application/vnd.github.actions.package.v1+json',
          annotations: { 'com.github.package.type': 'actions_oci_pkg' },
        },
      ),
      'OpenTofu module': artifact(empty, [['archive/zip', 'PK']], {
        artifactType: 'application/vnd.opentofu.modulepkg',
      }),
      'OpenTofu provider': index(
        [
          [
            artifact(empty, [['archive/zip', 'PK']], {
              artifactType: 'application/vnd.opentofu.provider-target',
            }),
            { ...on('amd64'), artifactType: 'application/vnd.opentofu.provider-target' },
          ],
        ],
        { members: { artifactType: 'application/vnd.opentofu.provider' } },
      ),
      'Bicep module': artifact(
        ['application/vnd.ms.bicep.module.config.v1+json', {}],
        [['application/vnd.ms.bicep.module.layer.v1+json', '{}']],
        {
          artifactType: 'application/vnd.ms.bicep.module.artifact',
          annotations: { 'org.opencontainers.image.title': 'm' },
        },
      ),
      'CUE module': artifact(
        ['application/vnd.cue.module.v1+json', {}],
        [
          ['application/zip', 'PK'],
          ['application/vnd.cue.modulefile.v1', 'module: "a"'],
        ],
      ),
      'KCL module': artifact(
        ['application/vnd.oci.empty.v1+json', {}, { data: 'e30=' }],
        [['application/vnd.oci.image.layer.v1.tar', 'k', title('m_1.tar')]],
        {
          artifactType: 'application/vnd.oci.image.layer.v1.tar',
          annotations: {
            'org.kcllang.package.name': 'm',
            'org.kcllang.package.sum': 's',
            'org.kcllang.package.version': '1',
          },
        },
      ),
    },
  },
  {
    tool: 'Apptainer',
    source: 'https://github.com/apptainer/apptainer/blob/main/internal/pkg/client/oras/oras.go',
    date,
    images: {
      SIF: artifact(
        ['application/vnd.sylabs.sif.config.v1+json', {}],
        [['application/vnd.sylabs.sif.layer.v1.sif', 'SIF', title('image.sif')]],
      ),
    },
  },
  {
    tool: 'Podman 5',
    source: 'https://docs.podman.io/en/stable/markdown/podman-artifact-add.1.html',
    date,
    images: {
      'artifact add': artifact(
        [empty[0], {}, { data: 'e30=' }],
        [['application/octet-stream', 'x', title('file')]],
        { artifactType: 'application/vnd.unknown.artifact.v1' },
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
