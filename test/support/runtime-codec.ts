import type { LayerCodec } from '../../src/layers/codec.ts';

/** The codec of the runtime that the test runs in: only workerd has DigestStream. */
export const runtimeCodec: LayerCodec =
  'DigestStream' in crypto
    ? (await import('../../src/runtime/web/layers/codec.ts')).webLayerCodec
    : (await import('../../src/runtime/node/layers/codec.ts')).createNodeLayerCodec();
