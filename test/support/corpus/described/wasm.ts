import { artifact, bareConfig, type DescribedTool, image, otherDigest } from '../described-tool.ts';

const created = '2024-05-06T07:08:09Z';
const date = '2026-11-29';
const module = '\0asm';
const title = (name: string) => ({ annotations: { 'org.opencontainers.image.title': name } });
const layerDigests = [otherDigest];
/** The manifests of the crate oci-client have no media type, unless the program sets one. */
const untyped = { mediaType: undefined };
const spinConfig = {
  architecture: 'wasm',
  os: 'Wasip1',
  config: { Labels: { 'com.fermyon.spin.lockedAppDigest': otherDigest } },
  rootfs: { type: 'layers', diff_ids: [] },
};
const ociConfig = 'application/vnd.oci.image.config.v1+json';
const contentLayer = 'application/vnd.wasm.content.layer.v1+wasm';

/** Modules and components of WebAssembly. */
export const wasm: readonly DescribedTool[] = [
  {
    tool: 'oci-wasm',
    source: 'https://github.com/bytecodealliance/rust-oci-wasm/blob/main/src/config.rs',
    date,
    images: {
      component: artifact(
        [
          'application/vnd.wasm.config.v0+json',
          {
            ...{ created, author: null, architecture: 'wasm', os: 'wasip2', layerDigests },
            component: { exports: ['a'], imports: ['b'], target: null },
          },
        ],
        [['application/wasm', module]],
      ),
      module: artifact(
        [
          'application/vnd.wasm.config.v0+json',
          { created, author: null, architecture: 'wasm', os: 'wasip1', layerDigests, component: null },
        ],
        [['application/wasm', module]],
        { annotations: { 'org.opencontainers.image.description': 'd' } },
      ),
    },
  },
  {
    tool: 'wasm-to-oci',
    source: 'https://github.com/engineerd/wasm-to-oci/blob/master/pkg/oci/push.go',
    date,
    images: {
      module: artifact(
        ['application/vnd.wasm.config.v1+json', {}],
        [[contentLayer, module, title('hello.wasm')]],
        untyped,
      ),
    },
  },
  {
    tool: 'Spin',
    source: 'https://github.com/spinframework/spin/blob/main/crates/oci/src/client.rs',
    date,
    images: {
      application: artifact(
        [ociConfig, spinConfig],
        [
          [contentLayer, module],
          ['application/vnd.wasm.content.layer.v1+data', 'data'],
          ['application/vnd.fermyon.spin.application.v1+config', '{"spin_lock_version":1}'],
        ],
        untyped,
      ),
      'an application of archives': artifact(
        [ociConfig, spinConfig],
        [
          [contentLayer, module],
          ['application/vnd.wasm.content.bundle.v1.tar+gzip', 'tar'],
          ['application/vnd.fermyon.spin.application.v1+config', '{"spin_lock_version":1}'],
        ],
        { ...untyped, annotations: { 'org.opencontainers.image.created': created } },
      ),
      'an application of Spin 1': artifact(
        [
          'application/vnd.fermyon.spin.application.v1+config',
          { spin_lock_version: 1, components: [{ id: 'a', source: { digest: otherDigest } }] },
        ],
        [
          [contentLayer, module],
          ['application/vnd.wasm.content.layer.v1+data', 'data'],
        ],
        untyped,
      ),
    },
  },
  {
    tool: 'wasmCloud',
    source: 'https://github.com/wasmCloud/wasmCloud/blob/v1.4.2/crates/wash-lib/src/registry.rs',
    date,
    images: {
      provider: artifact(
        ['application/vnd.wasmcloud.provider.archive.config', {}],
        [['application/vnd.wasmcloud.provider.archive.layer.v1+par', 'par']],
        { ...untyped, annotations: { 'org.opencontainers.image.title': 'x' } },
      ),
    },
  },
  {
    tool: 'Kubewarden',
    source: 'https://github.com/kubewarden/policy-fetcher/blob/main/src/registry/mod.rs',
    date,
    images: {
      policy: artifact(['application/vnd.wasm.config.v1+json', {}], [[contentLayer, module]], {
        ...untyped,
        annotations: { 'io.kubewarden.policy.title': 'x' },
      }),
    },
  },
  {
    tool: 'wasme',
    source: 'https://github.com/solo-io/wasm/blob/master/spec/spec.md',
    date,
    images: {
      filter: artifact(
        ['application/vnd.unknown.config.v1+json', {}],
        [
          [
            'application/vnd.module.wasm.config.v1+json',
            '{"type":"envoy_proxy","abi_version":"v0"}',
            title('runtime-config.json'),
          ],
          ['application/vnd.module.wasm.content.layer.v1+wasm', module, title('filter.wasm')],
        ],
        untyped,
      ),
      'a filter pushed with its config': artifact(
        ['application/vnd.module.wasm.config.v1+json', { type: 'envoy_proxy', abiVersions: ['v0'] }],
        [['application/vnd.module.wasm.content.layer.v1+wasm', module, title('filter.wasm')]],
      ),
    },
  },
  {
    tool: 'Wasm image',
    source: 'https://github.com/solo-io/wasm/blob/master/spec/spec-compat.md',
    date,
    images: {
      'in types of OCI': image(
        {
          architecture: 'wasm',
          os: 'wasip1',
          created,
          config: { Entrypoint: ['/a.wasm'], Labels: { 'module.wasm.image/variant': 'compat' } },
          history: [{ created, created_by: 'COPY a.wasm /' }],
        },
        {
          untyped: true,
          files: ['plugin.wasm'],
          manifest: { annotations: { 'module.wasm.image/variant': 'compat' } },
        },
      ),
      'in types of Docker': image(
        { ...bareConfig(1), architecture: 'amd64', os: 'linux', created, comment: 'wasm' },
        { docker: true, files: ['plugin.wasm'] },
      ),
    },
  },
];
