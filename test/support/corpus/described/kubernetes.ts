import {
  artifact,
  bareArtifactConfig,
  bareConfig,
  type DescribedTool,
  empty,
  image,
  index,
  type Make,
  on,
  otherDigest,
} from '../described-tool.ts';

const created = '2024-05-06T07:08:09Z';
const zero = '0001-01-01T00:00:00Z';
const linux = { architecture: 'amd64', os: 'linux' };
const date = '2026-11-29';
const ociConfig = 'application/vnd.oci.image.config.v1+json';
const dockerConfig = 'application/vnd.docker.container.image.v1+json';
const title = (name: string) => ({ annotations: { 'org.opencontainers.image.title': name } });
const untyped = { mediaType: undefined };

const timoniConfig = 'application/vnd.timoni.config.v1+json';
const timoniContent = (type: string) =>
  [
    'application/vnd.timoni.content.v1.tar+gzip',
    type,
    { annotations: { 'sh.timoni.content.type': type } },
  ] as const;

const cnabBundle = { schemaVersion: 'v1.0.0', name: 'x', invocationImages: [{ image: 'i' }] };
const cnabType = (type: string) => ({ annotations: { 'io.cnab.manifest.type': type } });
const cnabAnnotations = {
  'io.cnab.keywords': '["k"]',
  'io.cnab.runtime_version': 'v1.0.0',
  'org.opencontainers.artifactType': 'application/vnd.cnab.manifest.v1',
  'org.opencontainers.image.authors': '[{"name":"m"}]',
  'org.opencontainers.image.description': 'd',
  'org.opencontainers.image.title': 'x',
  'org.opencontainers.image.version': '1',
};
const invocation = (docker: boolean) =>
  image(
    { ...linux, created, config: { Cmd: ['/cnab/app/run'] }, history: [{ created }, { created }] },
    { docker },
  );
/** The bundle in Docker's types: the one layer is the config again. */
const dockerBundle: Make = artifact(
  [dockerConfig, cnabBundle],
  [[dockerConfig, JSON.stringify(cnabBundle)]],
  {},
  'application/vnd.docker.distribution.manifest.v2+json',
);

const ocmNotes = { 'software.ocm.componentversion': 'x', 'software.ocm.creator': 'OCM Go Library' };

const gadgetNotes = { 'org.opencontainers.image.created': created, 'org.opencontainers.image.title': 'x' };
const gadgetType = { artifactType: 'application/vnd.gadget.v1+binary' };
const ebpf = ['application/vnd.gadget.ebpf.program.v1+binary', 'ELF'] as const;

/** Packages that a cluster of Kubernetes installs. */
export const kubernetes: readonly DescribedTool[] = [
  {
    tool: 'Timoni',
    source: 'https://github.com/stefanprodan/timoni/blob/main/internal/oci/build_image.go',
    date,
    images: {
      module: artifact(
        [timoniConfig, bareArtifactConfig(['vendor', 'module'])],
        [timoniContent('vendor'), timoniContent('module')],
        { annotations: { 'org.opencontainers.image.version': '1' } },
      ),
      artifact: artifact([timoniConfig, bareArtifactConfig(['generic'])], [timoniContent('generic')], {
        annotations: { 'org.opencontainers.image.created': created, 'org.opencontainers.image.source': 's' },
      }),
    },
  },
  {
    tool: 'Tekton',
    source: 'https://github.com/tektoncd/cli/blob/main/pkg/bundle/builder.go',
    date,
    images: {
      bundle: image(
        { ...bareConfig(1), created },
        {
          docker: true,
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
      'a labelled bundle': image(
        { ...bareConfig(2), created, config: { Labels: { a: 'b' } } },
        {
          docker: true,
          layer: {
            annotations: {
              'dev.tekton.image.apiVersion': 'v1',
              'dev.tekton.image.kind': 'pipeline',
              'dev.tekton.image.name': 'n',
            },
          },
          manifest: { annotations: { 'org.opencontainers.image.revision': 'r' } },
        },
      ),
    },
  },
  {
    tool: 'Crossplane',
    source: 'https://github.com/crossplane/crossplane-runtime/blob/main/pkg/xpkg/build.go',
    date,
    images: {
      configuration: image(
        { ...bareConfig(2), config: { Labels: { [`io.crossplane.xpkg:${otherDigest}`]: 'base' } } },
        { docker: true, layer: { annotations: { 'io.crossplane.xpkg': 'base' } } },
      ),
      'a provider on its runtime': image(
        {
          ...linux,
          created,
          config: {
            Entrypoint: ['/provider'],
            ExposedPorts: { '8080/tcp': {} },
            Labels: { [`io.crossplane.xpkg:${otherDigest}`]: 'base' },
            User: '65532',
          },
          history: [{ created, created_by: 'COPY provider /' }, { created: zero }],
        },
        { layer: { annotations: { 'io.crossplane.xpkg': 'base' } } },
      ),
    },
  },
  {
    tool: 'OLM',
    source:
      'https://github.com/operator-framework/operator-registry/blob/master/docs/design/operator-bundle.md',
    date,
    images: {
      bundle: image(
        {
          ...linux,
          config: {
            Hostname: '',
            Env: ['PATH=/bin'],
            Cmd: null,
            Labels: { 'operators.operatorframework.io.bundle.mediatype.v1': 'registry+v1' },
          },
          container_config: { Cmd: ['/bin/sh', '-c', '#(nop) ADD'], Labels: {} },
          created,
          docker_version: '19.03.13',
          history: [
            { created, created_by: 'LABEL operators.operatorframework.io.bundle', empty_layer: true },
            { created, created_by: 'ADD manifests' },
            { created, created_by: 'ADD metadata' },
          ],
        },
        { docker: true, indent: 3 },
      ),
    },
  },
  {
    tool: 'Zarf',
    source: 'https://github.com/zarf-dev/zarf/blob/main/src/pkg/packager/layout/oci.go',
    date,
    images: {
      package: artifact(
        [
          'application/vnd.zarf.config.v1+json',
          {
            kind: 'ZarfPackageConfig',
            metadata: { name: 'x', version: '1', architecture: 'amd64', aggregateChecksum: 'c' },
            build: { terminal: 't', user: 'u', architecture: 'amd64', timestamp: 't', version: 'v' },
            components: [{ name: 'c', required: true, images: ['i'] }],
          },
        ],
        [
          ['application/vnd.zarf.layer.v1.blob', 'kind: ZarfPackageConfig', title('zarf.yaml')],
          ['application/vnd.zarf.layer.v1.blob', 'c zarf.yaml', title('checksums.txt')],
        ],
        {
          annotations: {
            'org.opencontainers.image.created': created,
            'org.opencontainers.image.description': 'd',
            'org.opencontainers.image.title': 'x',
          },
        },
      ),
      index: index([
        [
          artifact(
            ['application/vnd.zarf.config.v1+json', { kind: 'ZarfPackageConfig', metadata: { name: 'x' } }],
            [['application/vnd.zarf.layer.v1.blob', 'z', title('zarf.yaml')]],
            { annotations: { 'org.opencontainers.image.created': created } },
          ),
          on('arm64', 'multi'),
        ],
      ]),
    },
  },
  {
    tool: 'CNAB',
    source: 'https://github.com/cnabio/cnab-to-oci/blob/main/converter/types.go',
    date,
    images: {
      bundle: index(
        [
          [
            artifact(['application/vnd.cnab.config.v1+json', cnabBundle], [], { ...untyped, layers: null }),
            cnabType('config'),
          ],
          [invocation(false), cnabType('invocation')],
        ],
        { untyped: true, members: { annotations: cnabAnnotations } },
      ),
      'a bundle with the type of an image': index(
        [
          [artifact([ociConfig, cnabBundle], [], { ...untyped, layers: null }), cnabType('config')],
          [
            invocation(true),
            { annotations: { 'io.cnab.component.name': 'c', 'io.cnab.manifest.type': 'component' } },
          ],
        ],
        { untyped: true, members: { annotations: cnabAnnotations } },
      ),
      'the bundle alone, in types of Docker': dockerBundle,
    },
  },
  {
    tool: 'Kyverno',
    source:
      'https://github.com/kyverno/kyverno/blob/main/cmd/cli/kubectl-kyverno/commands/oci/push/options.go',
    date,
    images: {
      policies: artifact(
        ['application/vnd.cncf.kyverno.config.v1+json', bareArtifactConfig(['p'])],
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
    },
  },
  {
    tool: 'conftest',
    source: 'https://github.com/open-policy-agent/conftest/blob/master/internal/commands/push.go',
    date,
    images: {
      policies: artifact(
        ['application/vnd.unknown.config.v1+json', {}],
        [
          ['application/vnd.cncf.openpolicyagent.policy.layer.v1+rego', 'package a', title('a.rego')],
          ['application/vnd.cncf.openpolicyagent.data.layer.v1+json', '{}', title('d.json')],
        ],
        untyped,
      ),
    },
  },
  {
    tool: 'OPA',
    source: 'https://github.com/open-policy-agent/opa/blob/main/docs/content/management-bundles.md',
    date,
    images: {
      bundle: image(
        { rootfs: undefined },
        { untyped: true, files: ['bundle'], layer: title('bundle.tar.gz') },
      ),
    },
  },
  {
    tool: 'Inspektor Gadget',
    source: 'https://github.com/inspektor-gadget/inspektor-gadget/blob/main/pkg/oci/build.go',
    date,
    images: {
      gadget: index(
        [
          [
            artifact(
              ['application/vnd.gadget.config.v1+yaml', { name: 'x' }, { annotations: gadgetNotes }],
              [ebpf, ['application/vnd.gadget.wasm.program.v1+binary', 'w']],
              { ...untyped, ...gadgetType, annotations: gadgetNotes },
            ),
            { annotations: gadgetNotes, ...on('amd64') },
          ],
        ],
        { members: { annotations: gadgetNotes } },
      ),
      'a gadget without metadata': index(
        [
          [
            artifact(
              [empty[0], {}, { data: 'e30=', annotations: { 'org.opencontainers.image.created': created } }],
              [ebpf, ['application/vnd.gadget.btfgen.v1+binary', 'b']],
              {
                ...untyped,
                ...gadgetType,
                annotations: { 'org.opencontainers.image.created': created },
              },
            ),
            { annotations: { 'org.opencontainers.image.created': created }, ...on('arm64') },
          ],
        ],
        { members: { annotations: { 'org.opencontainers.image.created': created } } },
      ),
    },
  },
  {
    tool: 'bpfman',
    source: 'https://github.com/bpfman/bpfman/blob/main/docs/developer-guide/shipping-bytecode.md',
    date,
    images: {
      bytecode: image(
        {
          created,
          ...linux,
          config: { Env: ['PATH=/bin'], Labels: { 'io.ebpf.program_type': 'xdp' } },
          history: [{ created, created_by: 'COPY pass.bpf.o', comment: 'FROM scratch' }],
        },
        {
          files: ['x.o'],
          manifest: {
            annotations: {
              'org.opencontainers.image.base.digest': otherDigest,
              'org.opencontainers.image.base.name': '',
            },
          },
        },
      ),
    },
  },
  {
    tool: 'OCM',
    source:
      'https://github.com/open-component-model/ocm-spec/blob/main/doc/04-extensions/03-storage-backends/oci.md',
    date,
    images: {
      'component version': artifact(
        [
          'application/vnd.ocm.software.component.config.v1+json',
          {
            componentDescriptorLayer: {
              mediaType: 'application/vnd.ocm.software.component-descriptor.v2+yaml+tar',
              digest: otherDigest,
              size: 1,
            },
          },
        ],
        [
          ['application/vnd.ocm.software.component-descriptor.v2+yaml+tar', 'cd'],
          ['text/plain', 'a local blob'],
        ],
        { annotations: ocmNotes },
      ),
      'component version with a type': artifact(
        [
          'application/vnd.ocm.software.component.config.v1+json',
          {
            componentDescriptorLayer: {
              mediaType: 'application/vnd.ocm.software.component-descriptor.v2+json',
              digest: otherDigest,
              size: 1,
            },
          },
        ],
        [
          ['application/vnd.ocm.software.component-descriptor.v2+json', '{}'],
          ['text/plain', 'a local blob', { annotations: { 'software.ocm.artifact': '[]' } }],
        ],
        {
          artifactType: 'application/vnd.ocm.software.component-descriptor.v2',
          annotations: { 'org.opencontainers.image.version': '1.0.0', ...ocmNotes },
        },
      ),
    },
  },
  {
    tool: 'imgpkg',
    source: 'https://github.com/carvel-dev/imgpkg/blob/develop/pkg/imgpkg/image/file_image.go',
    date,
    images: {
      bundle: image(
        {
          ...bareConfig(1),
          config: { Labels: { 'dev.carvel.imgpkg.bundle': 'true' } },
          history: [{ author: 'imgpkg', created: zero, created_by: 'imgpkg' }],
        },
        { docker: true, files: ['bundle'] },
      ),
    },
  },
  {
    tool: 'Hauler',
    source: 'https://github.com/hauler-dev/hauler/blob/main/pkg/artifacts/file/file.go',
    date,
    images: {
      'a local file': artifact(
        ['application/vnd.content.hauler.file.local.config.v1+json', { reference: 'one' }],
        [['application/vnd.content.hauler.file.layer.v1', 'one', title('one')]],
      ),
      'a file of a website': artifact(
        [
          'application/vnd.content.hauler.file.http.config.v1+json',
          { reference: 'https://example.com/one', annotations: { a: 'b' } },
        ],
        [['application/vnd.content.hauler.file.layer.v1', 'one', title('one')]],
      ),
      'a folder': artifact(
        ['application/vnd.content.hauler.file.directory.config.v1+json', { reference: 'folder' }],
        [['application/vnd.content.hauler.file.layer.v1', 'tar', title('folder')]],
        { annotations: { a: 'b' } },
      ),
    },
  },
];
