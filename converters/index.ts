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
export type { ConversionPorts } from './ports.ts';
export { readManifest, type Sketch, sketchManifest } from './read.ts';
export { verifySchema1 } from './schema1/read.ts';
export { generateSigningKey, readSigningKey, type SigningKey } from './schema1/signing-key.ts';
