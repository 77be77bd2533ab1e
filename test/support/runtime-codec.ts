import type { LayerCodec } from '../../src/layers/codec.ts';

/** The codec of the runtime that the test runs in: only workerd has DigestStream. */
export const runtimeCodec: LayerCodec =
  'DigestStream' in crypto
    ? (await import('../../src/runtime/worker/layers/codec.ts')).workerLayerCodec
    : (await import('../../src/runtime/node/layers/codec.ts')).createNodeLayerCodec();
