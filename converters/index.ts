/**
 * `regshift/converters`: container image manifests from each dialect into each other one, pure and on any platform.
 * `README.md` beside this file says what converts and what is lost; what is not exported here may change.
 */
export { chooseImage } from './choose-image.ts';
export type { ConversionContext, Converted, Form, IndexForm } from './conversion.ts';
export { convertersVersion } from './convert.ts';
export { convert } from './convert-any.ts';
export { convertImage } from './convert-image.ts';
export { convertIndex } from './convert-index.ts';
export { type Digest, digestOf, isDigest, parseDigest, verifyDigest } from './digest.ts';
export { type ConversionCode, ConversionError, type ConversionProblem, type Dialect } from './errors.ts';
export { type HistoryEntry, type ImageConfig, readImageConfig } from './image-config.ts';
export type { Label, Labels } from './labels.ts';
export { type Compression, layerTypeOf, mediaTypes } from './media-types.ts';
export type * from './model.ts';
export { formatPlatform, type Platform, parsePlatform } from './platform.ts';
export type { ConversionPorts, LayerFacts } from './ports.ts';
export { readManifest, type Sketch, sketchManifest } from './read.ts';
export { type ConvertedV1, convertToRegistryV1 } from './registry-v1/convert.ts';
export { v1ImageJson } from './registry-v1/write.ts';
export { emptyLayer } from './schema1/empty-layer.ts';
export { libtrustKeyId } from './schema1/key-id.ts';
export { signSchema1 } from './schema1/sign.ts';
export { generateSigningKey, readSigningKey, type SigningKey } from './schema1/signing-key.ts';
export type { V1Image } from './schema1/v1-chain.ts';
export { verifySchema1 } from './schema1/verify.ts';
export type { DerivedBlob } from './steps/step.ts';
