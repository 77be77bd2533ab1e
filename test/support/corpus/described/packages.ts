import { artifact, type DescribedTool, empty, image, index, on } from '../described-tool.ts';

const created = '2024-05-06T07:08:09Z';
const date = '2026-11-29';
const title = (name: string) => ({ annotations: { 'org.opencontainers.image.title': name } });
const pushed = { annotations: { 'org.opencontainers.image.created': created } };
const embedded = [empty[0], {}, { data: 'e30=' }] as const;
const sigstore = 'application/vnd.dev.sigstore.bundle.v0.3+json';

const bottleNotes = {
  'org.opencontainers.image.ref.name': '1',
  'sh.brew.bottle.digest': 'd',
  'sh.brew.bottle.size': '1',
  'sh.brew.tab': '{}',
};
const linuxBottleNotes = {
  ...bottleNotes,
  'sh.brew.bottle.cpu.variant': 'core2',
  'sh.brew.bottle.glibc.version': '2.35',
};
/** A bottle for one platform. @param notes what both its descriptor and its manifest say. */
const bottle = (platform: object, notes: object) =>
  image(platform, {
    untyped: true,
    indent: 2,
    files: ['bottle'],
    layer: title('x.bottle.tar.gz'),
    manifest: { annotations: { 'com.github.package.type': 'homebrew_bottle', ...notes } },
  });

const actionNotes = (type: string) => ({
  'com.github.package.type': type,
  'org.opencontainers.image.created': created,
});
const bundleNotes = {
  ...actionNotes('actions_oci_pkg_attestation'),
  'dev.sigstore.bundle.content': 'dsse-envelope',
  'dev.sigstore.bundle.predicateType': 'https://slsa.dev/provenance/v1',
};
const action = artifact(
  empty,
  [
    [empty[0], '{}'],
    ['application/vnd.github.actions.package.layer.v1.tar+gzip', 't', title('a.tar.gz')],
    ['application/vnd.github.actions.package.layer.v1.zip', 'z', title('a.zip')],
  ],
  {
    artifactType: 'application/vnd.github.actions.package.v1+json',
    annotations: {
      ...actionNotes('actions_oci_pkg'),
      'action.tar.gz.digest': 'd',
      'action.zip.digest': 'd',
      'com.github.package.version': '1',
      'com.github.source.commit': 'c',
      'com.github.source.repo.id': '1',
      'com.github.source.repo.owner.id': '1',
    },
  },
);

/** Packages of package managers and of languages. */
export const packages: readonly DescribedTool[] = [
  {
    tool: 'Homebrew',
    source: 'https://github.com/Homebrew/brew/blob/master/Library/Homebrew/github_packages.rb',
    date,
    images: {
      bottles: index(
        [
          [
            bottle({ architecture: 'arm64', os: 'darwin', 'os.version': 'macOS 14' }, bottleNotes),
            { ...on('arm64', 'darwin', { 'os.version': 'macOS 14' }), annotations: bottleNotes },
          ],
          [
            bottle({ architecture: 'amd64', os: 'linux', 'os.version': 'Ubuntu 22.04' }, linuxBottleNotes),
            { ...on('amd64', 'linux', { 'os.version': 'Ubuntu 22.04' }), annotations: linuxBottleNotes },
          ],
        ],
        {
          untyped: true,
          members: {
            annotations: {
              'com.github.package.type': 'homebrew_bottle',
              'org.opencontainers.image.created': created,
              'org.opencontainers.image.license': 'MIT',
            },
          },
        },
      ),
    },
  },
  {
    tool: 'conda-oci-mirror',
    source: 'https://github.com/channel-mirrors/conda-oci-mirror/blob/main/conda_oci_mirror/defaults.py',
    date,
    images: {
      package: artifact(
        ['application/vnd.unknown.config.v1+json', {}],
        [
          ['application/vnd.conda.package.v2', 'c', title('p.conda')],
          ['application/vnd.conda.info.v1.tar+gzip', 'i', title('info.tar.gz')],
          ['application/vnd.conda.info.index.v1+json', '{}', title('index.json')],
        ],
      ),
    },
  },
  {
    tool: 'Dev containers on GitHub',
    source:
      'https://github.com/devcontainers/cli/blob/main/src/spec-configuration/containerCollectionsOCIPush.ts',
    date,
    images: {
      feature: artifact(
        ['application/vnd.devcontainers', {}],
        [['application/vnd.devcontainers.layer.v1+tar', 'f', title('f.tgz')]],
        {
          annotations: { 'dev.containers.metadata': '{}', 'com.github.package.type': 'devcontainer_feature' },
        },
      ),
      collection: artifact(
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
    },
  },
  {
    tool: 'GitHub Actions',
    source: 'https://github.com/actions/publish-immutable-action/blob/main/src/oci-container.ts',
    date,
    images: {
      action,
      'attestation of an action': async (built) => {
        const subject = await action(built);
        return artifact(empty, [[sigstore, '{}']], {
          artifactType: sigstore,
          subject,
          annotations: bundleNotes,
        })(built);
      },
      'the attestations of an action': index(
        [
          [
            artifact(empty, [[sigstore, '{}']], { artifactType: sigstore, annotations: bundleNotes }),
            { artifactType: sigstore, annotations: bundleNotes },
          ],
        ],
        { members: { annotations: actionNotes('actions_oci_pkg_referrer_tag') } },
      ),
    },
  },
  {
    tool: 'OpenTofu',
    source:
      'https://github.com/opentofu/opentofu/blob/main/website/docs/cli/oci_registries/module-package.mdx',
    date,
    images: {
      module: artifact(embedded, [['archive/zip', 'PK', title('module-package.zip')]], {
        artifactType: 'application/vnd.opentofu.modulepkg',
        ...pushed,
      }),
      provider: index(
        [
          [
            artifact(embedded, [['archive/zip', 'PK']], {
              artifactType: 'application/vnd.opentofu.provider-target',
            }),
            { ...on('amd64'), artifactType: 'application/vnd.opentofu.provider-target' },
          ],
        ],
        { members: { artifactType: 'application/vnd.opentofu.provider' } },
      ),
    },
  },
  {
    tool: 'Bicep',
    source:
      'https://github.com/Azure/bicep/blob/main/src/Bicep.Core/Registry/AzureContainerRegistryManager.cs',
    date,
    images: {
      module: artifact(
        ['application/vnd.ms.bicep.module.config.v1+json', {}, { annotations: {} }],
        [['application/vnd.ms.bicep.module.layer.v1+json', '{}', { annotations: {} }]],
        {
          artifactType: 'application/vnd.ms.bicep.module.artifact',
          annotations: {
            'org.opencontainers.image.created': created,
            'org.opencontainers.image.description': 'd',
            'org.opencontainers.image.documentation': 'u',
          },
        },
      ),
    },
  },
  {
    tool: 'CUE',
    source: 'https://github.com/cue-lang/cue/blob/master/mod/modregistry/client.go',
    date,
    images: {
      module: artifact(
        ['application/vnd.cue.module.v1+json', {}],
        [
          ['application/zip', 'PK'],
          ['application/vnd.cue.modulefile.v1', 'module: "a"'],
        ],
      ),
      'a module of a version control system': artifact(
        ['application/vnd.cue.module.v1+json', {}],
        [
          ['application/zip', 'PK'],
          ['application/vnd.cue.modulefile.v1', 'module: "b"'],
        ],
        {
          annotations: {
            'org.cuelang.vcs-commit': 'c',
            'org.cuelang.vcs-commit-time': created,
            'org.cuelang.vcs-type': 'git',
          },
        },
      ),
    },
  },
  {
    tool: 'KCL',
    source: 'https://github.com/kcl-lang/kpm/blob/main/pkg/oci/oci.go',
    date,
    images: {
      module: artifact(embedded, [['application/vnd.oci.image.layer.v1.tar+gzip', 'k', title('m_1.tar')]], {
        artifactType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        annotations: {
          'org.kcllang.package.description': 'd',
          'org.kcllang.package.name': 'm',
          'org.kcllang.package.sum': 's',
          'org.kcllang.package.version': '1',
          'org.opencontainers.image.created': created,
        },
      }),
    },
  },
];
