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

const created = '2024-05-06T07:08:09Z';
const date = '2026-11-29';
const ociConfig = 'application/vnd.oci.image.config.v1+json';
const simple = 'application/vnd.dev.cosign.simplesigning.v1+json';
const payload =
  '{"critical":{"identity":{"docker-reference":""},"image":{"docker-manifest-digest":"sha256:5"},"type":"cosign container image signature"},"optional":null}';
const signature = { 'dev.cosignproject.cosign/signature': 'MEUCIQ==' };
const keyless = {
  ...signature,
  'dev.sigstore.cosign/bundle': '{}',
  'dev.sigstore.cosign/certificate': 'PEM',
  'dev.sigstore.cosign/chain': 'PEM',
};
const plain = image({ architecture: 'amd64', os: 'linux', created, config: { Cmd: ['x'] } });
const title = (name: string) => ({ annotations: { 'org.opencontainers.image.title': name } });

/** Signatures, attestations and SBOMs, and models of machine learning. */
export const signaturesAndModels: readonly DescribedTool[] = [
  {
    tool: 'cosign',
    source: 'https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md',
    date,
    images: {
      'signature by a key': artifact(
        [ociConfig, cosignConfig],
        [[simple, payload, { annotations: signature }]],
      ),
      'keyless signature': artifact([ociConfig, cosignConfig], [[simple, payload, { annotations: keyless }]]),
      'two signatures': artifact(
        [ociConfig, cosignConfig],
        [
          [simple, payload, { annotations: signature }],
          [simple, payload, { annotations: { ...keyless, 'dev.sigstore.cosign/rfc3161timestamp': '{}' } }],
        ],
      ),
      attestation: artifact(
        [ociConfig, cosignConfig],
        [
          [
            'application/vnd.dsse.envelope.v1+json',
            '{"payloadType":"application/vnd.in-toto+json"}',
            {
              annotations: {
                'dev.cosignproject.cosign/signature': '',
                predicateType: 'https://slsa.dev/provenance/v1',
              },
            },
          ],
        ],
      ),
      SBOM: artifact([ociConfig, cosignConfig], [['application/vnd.cyclonedx+json', '{}']]),
      bundle: async (built) => {
        const subject = await plain(built);
        const annotations = {
          'dev.sigstore.bundle.content': 'dsse-envelope',
          'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1',
          'org.opencontainers.image.created': created,
        };
        return artifact(
          ['application/vnd.oci.empty.v1+json', {}],
          [['application/vnd.dev.sigstore.bundle.v0.3+json', '{}']],
          { artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json', subject, annotations },
        )(built);
      },
      'signature as a referrer': async (built) => {
        const subject = await plain(built);
        return artifact(
          ['application/vnd.dev.cosign.artifact.sig.v1+json', {}],
          [[simple, payload, { annotations: signature }]],
          { subject },
        )(built);
      },
      'Docker types': artifact(
        ['application/vnd.docker.container.image.v1+json', cosignConfig],
        [[simple, payload, { annotations: signature }]],
        {},
        'application/vnd.docker.distribution.manifest.v2+json',
      ),
    },
  },
  {
    tool: 'Notation',
    source: 'https://github.com/notaryproject/specifications/blob/main/specs/signature-specification.md',
    date,
    images: {
      JWS: async (built) => {
        const subject = await plain(built);
        return artifact(['application/vnd.cncf.notary.signature', {}], [['application/jose+json', '{}']], {
          subject,
          annotations: {
            'io.cncf.notary.x509chain.thumbprint#S256': '[]',
            'org.opencontainers.image.created': created,
          },
        })(built);
      },
      COSE: async (built) => {
        const subject = await plain(built);
        return artifact(['application/vnd.cncf.notary.signature', {}], [['application/cose', 'cose']], {
          subject,
          annotations: { 'io.cncf.notary.x509chain.thumbprint#S256': '[]' },
        })(built);
      },
    },
  },
  {
    tool: 'in-toto and SBOM attachments',
    source: 'https://learn.microsoft.com/azure/container-registry/container-registry-manage-artifact',
    date,
    images: {
      SPDX: async (built) => {
        const subject = await plain(built);
        return artifact(
          [empty[0], {}, { data: 'e30=' }],
          [['application/spdx+json', '{}', title('sbom.spdx.json')]],
          { artifactType: 'application/spdx+json', subject },
        )(built);
      },
      CycloneDX: async (built) => {
        const subject = await plain(built);
        return artifact(empty, [['application/vnd.cyclonedx+json', '{}']], {
          artifactType: 'application/vnd.cyclonedx+json',
          subject,
          annotations: { 'org.opencontainers.artifact.description': 'd' },
        })(built);
      },
      'vulnerability report': artifact(empty, [['application/sarif+json', '{}', title('scan.sarif')]], {
        artifactType: 'application/sarif+json',
        annotations: { 'org.opencontainers.image.created': created },
      }),
      lifecycle: artifact(empty, [[empty[0], '{}']], {
        artifactType: 'application/vnd.microsoft.artifact.lifecycle',
        annotations: { 'vnd.microsoft.artifact.lifecycle.end-of-life.date': created },
      }),
    },
  },
  {
    tool: 'Docker Model',
    source: 'https://github.com/docker/model-spec/blob/main/config.md',
    date,
    images: {
      GGUF: artifact(
        [
          'application/vnd.docker.ai.model.config.v0.1+json',
          {
            descriptor: { createdAt: created },
            config: {
              format: 'gguf',
              quantization: 'Q4_0',
              parameters: '1.1 B',
              architecture: 'llama',
              size: '1 GB',
            },
            rootfs: { type: 'rootfs', diff_ids: [otherDigest] },
          },
        ],
        [
          ['application/vnd.docker.ai.gguf.v3', 'GGUF'],
          ['application/vnd.docker.ai.license', 'MIT'],
        ],
      ),
      'GGUF with a projector': artifact(
        [
          'application/vnd.docker.ai.model.config.v0.1+json',
          {
            config: { format: 'gguf', format_version: '3', gguf: { architecture: 'llama' }, context_size: 1 },
            files: [{ diffID: otherDigest, type: 'x' }],
          },
        ],
        [
          [
            'application/vnd.docker.ai.gguf.v3',
            'GGUF',
            { annotations: { 'org.cncf.model.filepath': 'm.gguf' } },
          ],
          ['application/vnd.docker.ai.mmproj', 'P'],
          ['application/vnd.docker.ai.chat.template.jinja', '{{}}'],
        ],
        { artifactType: 'application/vnd.docker.ai.model' },
      ),
    },
  },
  {
    tool: 'Ollama',
    source: 'https://pkg.go.dev/github.com/ollama/ollama@v0.12.0/server/internal/manifest',
    date,
    images: {
      model: artifact(
        [
          'application/vnd.docker.container.image.v1+json',
          {
            model_format: 'gguf',
            model_family: 'llama',
            model_families: ['llama'],
            model_type: '1B',
            file_type: 'Q4_0',
            architecture: 'amd64',
            os: 'linux',
            rootfs: { type: 'layers', diff_ids: [otherDigest] },
          },
        ],
        [
          ['application/vnd.ollama.image.model', 'GGUF'],
          ['application/vnd.ollama.image.template', '{{ .Prompt }}'],
          ['application/vnd.ollama.image.params', '{}'],
          ['application/vnd.ollama.image.license', 'MIT'],
        ],
        {},
        'application/vnd.docker.distribution.manifest.v2+json',
      ),
      adapter: artifact(
        [
          'application/vnd.docker.container.image.v1+json',
          {
            model_format: 'gguf',
            model_family: 'llama',
            model_families: null,
            model_type: '',
            file_type: '',
            architecture: 'amd64',
            os: 'linux',
            rootfs: { type: 'layers', diff_ids: [otherDigest] },
          },
        ],
        [
          ['application/vnd.ollama.image.model', 'GGUF', { from: '/x' }],
          ['application/vnd.ollama.image.adapter', 'A'],
          ['application/vnd.ollama.image.system', 'S'],
        ],
        {},
        'application/vnd.docker.distribution.manifest.v2+json',
      ),
    },
  },
  {
    tool: 'ModelPack and KitOps',
    source: 'https://github.com/modelpack/model-spec/blob/main/docs/spec.md',
    date,
    images: {
      ModelPack: artifact(
        [
          'application/vnd.cncf.model.config.v1+json',
          {
            descriptor: { createdAt: created, name: 'x' },
            modelfs: { type: 'layers', diffIds: [otherDigest] },
            config: { architecture: 'transformer', format: 'gguf', paramSize: '8b', precision: '8' },
          },
        ],
        [
          [
            'application/vnd.cncf.model.weight.v1.gguf',
            'W',
            { annotations: { 'org.cncf.model.filepath': 'w', 'org.cncf.model.file.metadata+json': '{}' } },
          ],
          ['application/vnd.cncf.model.doc.v1.tar', 'D'],
        ],
        { artifactType: 'application/vnd.cncf.model.manifest.v1+json' },
      ),
      ModelKit: artifact(
        [
          'application/vnd.kitops.modelkit.config.v1+json',
          {
            manifestVersion: '1.0.0',
            package: { name: 'x', authors: ['me'] },
            model: { name: 'm', path: 'm', parts: [{ path: 'p' }] },
            code: [{ path: 'c' }],
            datasets: [{ path: 'd' }],
          },
        ],
        [
          ['application/vnd.kitops.modelkit.model.v1.tar', 'M'],
          ['application/vnd.kitops.modelkit.code.v1.tar+gzip', 'C'],
          ['application/vnd.kitops.modelkit.dataset.v1.tar', 'D'],
        ],
        { annotations: { 'ml.kitops.modelkit.cli-version': '1' } },
      ),
    },
  },
  {
    tool: 'RamaLama',
    source: 'https://github.com/containers/ramalama/blob/main/docs/ramalama-push.1.md',
    date,
    images: {
      index: index(
        [
          [
            image({
              architecture: 'amd64',
              os: 'linux',
              created,
              config: { Labels: {} },
              history: [{ created, empty_layer: false }, {}],
            }),
            { ...on('amd64'), annotations: { 'org.containers.type': 'ai' } },
          ],
        ],
        { members: { annotations: { 'org.containers.type': 'ai' } } },
      ),
    },
  },
];
