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
const sigstore = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const signature = { 'dev.cosignproject.cosign/signature': 'MEUCIQ==' };
const keyless = {
  ...signature,
  'dev.sigstore.cosign/bundle': '{}',
  'dev.sigstore.cosign/certificate': 'PEM',
  'dev.sigstore.cosign/chain': 'PEM',
};
/** The annotations of a layer that holds one file of a model. */
const modelFile = { 'org.cncf.model.filepath': 'm', 'org.cncf.model.file.metadata+json': '{}' };
/** Since 2025, configs of Ollama have no `rootfs`. */
const ollamaConfig = {
  ...{ model_format: 'safetensors', model_family: 'f', model_families: ['f'], model_type: '1B' },
  ...{ file_type: 'bf16', architecture: 'amd64', os: 'linux' },
};
const plain = image({ architecture: 'amd64', os: 'linux', created, config: { Cmd: ['x'] } });
const title = (name: string) => ({ annotations: { 'org.opencontainers.image.title': name } });

/** Signatures, attestations and SBOMs, and models of machine learning. */
export const signaturesAndModels: readonly DescribedTool[] = [
  {
    tool: 'cosign',
    source: 'https://github.com/sigstore/cosign/blob/main/pkg/oci/remote/write.go',
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
        return artifact([empty[0], {}, { artifactType: sigstore }], [[sigstore, '{}']], {
          artifactType: sigstore,
          subject,
          annotations,
        })(built);
      },
      'signature with a certificate, as a referrer': async (built) => {
        const subject = await plain(built);
        return artifact(
          [empty[0], {}, { artifactType: simple }],
          [[simple, payload, { annotations: keyless }]],
          {
            artifactType: simple,
            subject,
          },
        )(built);
      },
      'signature as a referrer': async (built) => {
        const subject = await plain(built);
        return artifact(
          ['application/vnd.dev.cosign.artifact.sig.v1+json', cosignConfig],
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
    tool: 'Docker Model Runner',
    source: 'https://github.com/docker/model-runner/blob/main/pkg/distribution/types/config.go',
    date,
    images: {
      GGUF: artifact(
        [
          'application/vnd.docker.ai.model.config.v0.1+json',
          {
            descriptor: { created },
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
      safetensors: artifact(
        [
          'application/vnd.docker.ai.model.config.v0.2+json',
          {
            descriptor: { created },
            config: {
              ...{ format: 'safetensors', parameters: '3.09 B', architecture: 'qwen2', size: '6 GB' },
              safetensors: { architecture: 'qwen2' },
              context_size: 4096,
            },
            rootfs: { type: 'rootfs', diff_ids: [otherDigest] },
          },
        ],
        [
          ['application/vnd.docker.ai.safetensors', 'S', { annotations: modelFile }],
          ['application/vnd.docker.ai.model.file', '{}', { annotations: modelFile }],
        ],
      ),
      DDUF: artifact(
        [
          'application/vnd.docker.ai.model.config.v0.1+json',
          {
            descriptor: {},
            config: { format: 'dduf', diffusers: { layout: 'x' } },
            rootfs: { type: 'rootfs', diff_ids: [otherDigest] },
          },
        ],
        [
          ['application/vnd.docker.ai.dduf', 'D', { annotations: modelFile }],
          ['application/vnd.docker.ai.chat.template.jinja', '{{}}'],
        ],
      ),
    },
  },
  {
    tool: 'Docker model specification',
    source: 'https://github.com/docker/model-spec/blob/main/config.md',
    date,
    images: {
      'GGUF with a projector': artifact(
        [
          'application/vnd.docker.ai.model.config.v0.1+json',
          {
            descriptor: { createdAt: created },
            config: {
              ...{ format: 'gguf', format_version: '3', size: '635992801' },
              gguf: { architecture: 'llama', parameter_count: '1.10 B', quantization: 'Q4_0' },
            },
            files: [{ diffID: otherDigest, type: 'application/vnd.docker.ai.gguf.v3' }],
          },
        ],
        [
          ['application/vnd.docker.ai.gguf.v3', 'GGUF'],
          ['application/vnd.docker.ai.mmproj', 'P'],
        ],
      ),
    },
  },
  {
    tool: 'Ollama',
    source: 'https://github.com/ollama/ollama/blob/main/types/model/config.go',
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
      'a model of the cloud': artifact(
        [
          'application/vnd.docker.container.image.v1+json',
          {
            ...ollamaConfig,
            remote_host: 'https://example.com:443',
            remote_model: 'm',
            capabilities: ['completion'],
            context_length: 131072,
            embedding_length: 4096,
          },
        ],
        [],
        {},
        'application/vnd.docker.distribution.manifest.v2+json',
      ),
      tensors: artifact(
        [
          'application/vnd.docker.container.image.v1+json',
          { ...ollamaConfig, renderer: 'r', parser: 'p', requires: '0.14' },
        ],
        [
          ['application/vnd.ollama.image.tensor', 'T', { name: 'model.embed_tokens.weight' }],
          ['application/vnd.ollama.image.json', '{}', { name: 'config.json' }],
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
    tool: 'ModelPack',
    source: 'https://github.com/modelpack/model-spec/blob/main/docs/config.md',
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
            'application/vnd.cncf.model.weight.v1.raw',
            'W',
            { annotations: { 'org.cncf.model.filepath': 'w', 'org.cncf.model.file.metadata+json': '{}' } },
          ],
          ['application/vnd.cncf.model.doc.v1.tar', 'D'],
        ],
        { artifactType: 'application/vnd.cncf.model.manifest.v1+json' },
      ),
      'with what the model can': artifact(
        [
          'application/vnd.cncf.model.config.v1+json',
          {
            descriptor: {
              ...{ createdAt: created, authors: ['a'], vendor: 'v', family: 'f', name: 'n', version: '1' },
              ...{ title: 't', description: 'd', docURL: 'u', sourceURL: 'u', datasetsURL: ['u'] },
              ...{ revision: 'r', licenses: ['Apache-2.0'] },
            },
            config: {
              ...{ architecture: 'transformer', format: 'pt', paramSize: '8b', precision: 'float16' },
              quantization: 'gptq',
              capabilities: {
                ...{ inputTypes: ['text'], outputTypes: ['text'], knowledgeCutoff: created },
                ...{ reasoning: true, toolUsage: false, reward: false, languages: ['en'] },
              },
            },
            modelfs: { type: 'layers', diffIds: [otherDigest] },
          },
        ],
        [
          ['application/vnd.cncf.model.weight.v1.tar', 'W'],
          ['application/vnd.cncf.model.weight.config.v1.tar', 'C'],
          ['application/vnd.cncf.model.doc.v1.tar', 'D'],
        ],
        { artifactType: 'application/vnd.cncf.model.manifest.v1+json' },
      ),
    },
  },
  {
    tool: 'KitOps',
    source: 'https://github.com/kitops-ml/kitops/blob/main/pkg/lib/kitfile/local-storage.go',
    date,
    images: {
      'ModelKit with documents': artifact(
        [
          'application/vnd.kitops.modelkit.config.v1+json',
          { manifestVersion: '1.0.0', package: { name: 'x' }, docs: [{ path: 'd', description: 'x' }] },
        ],
        [['application/vnd.kitops.modelkit.docs.v1.tar+gzip', 'D']],
        { mediaType: undefined, annotations: { 'ml.kitops.modelkit.cli-version': '1' } },
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
          ['application/vnd.kitops.modelkit.modelpart.v1.tar', 'P'],
          ['application/vnd.kitops.modelkit.code.v1.tar+gzip', 'C'],
          ['application/vnd.kitops.modelkit.dataset.v1.tar', 'D'],
        ],
        { mediaType: undefined, annotations: { 'ml.kitops.modelkit.cli-version': '1' } },
      ),
    },
  },
  {
    tool: 'RamaLama',
    source: 'https://github.com/containers/ramalama/blob/main/ramalama/transports/oci/oci.py',
    date,
    images: {
      index: index([
        [
          image({
            architecture: 'amd64',
            os: 'linux',
            created,
            config: { Labels: { 'org.containers.type': 'ai.image.model.car' } },
            history: [
              { created, created_by: 'LABEL org.containers.type', empty_layer: true },
              { created, created_by: 'COPY /data/ /', comment: 'FROM scratch' },
              { created, created_by: 'COPY /models/ /' },
            ],
          }),
          {
            ...on('amd64'),
            annotations: {
              'org.cncf.model.model': 'true',
              'org.containers.type': 'ai.image.model.car',
              'org.opencontainers.image.title': 'm',
            },
          },
        ],
      ]),
      artifact: artifact(
        [empty[0], {}, { data: 'e30=' }],
        [
          [
            'application/octet-stream',
            'GGUF',
            {
              annotations: {
                ...modelFile,
                'org.cncf.model.file.mediatype.untested': 'true',
                'org.opencontainers.image.title': 'm.gguf',
              },
            },
          ],
        ],
        {
          artifactType: 'application/vnd.cncf.model.manifest.v1+json',
          annotations: { 'org.opencontainers.image.created': created },
        },
      ),
    },
  },
];
