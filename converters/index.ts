export { chooseImage } from './choose-image.ts';
export {
  type ConversionContext,
  type Converted,
  convertersVersion,
  convertImage,
  type Form,
} from './convert.ts';
export { convertIndex, type IndexForm } from './convert-index.ts';
export { type Digest, digestOf, isDigest, parseDigest } from './digest.ts';
export { type ConversionCode, ConversionError, type ConversionProblem, type Dialect } from './errors.ts';
export { type Compression, layerTypeOf, mediaTypes } from './media-types.ts';
export type * from './model.ts';
export { formatPlatform, type Platform, parsePlatform } from './platform.ts';
export type { ConversionPorts, LayerFacts } from './ports.ts';
export type { DerivedBlob } from './prepare.ts';
export { readManifest, type Sketch, sketchManifest } from './read.ts';
export { v1ImageJson, writeRegistryV1 } from './registry-v1/write.ts';
export { verifySchema1 } from './schema1/read.ts';
export { generateSigningKey, readSigningKey, type SigningKey } from './schema1/signing-key.ts';
export type { V1Image } from './schema1/v1-chain.ts';
