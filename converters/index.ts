/**
 * `regshift/converters`: converts container image manifests between dialects. The code is pure and runs on every
 * JavaScript platform. `converters/README.md` of the package lists the conversions and their losses. Other modules of this folder
 * are private and can change in any release.
 */

export type { Label, Labels } from './annotations.ts';
export type { Bytes } from './bytes.ts';
export type { ConversionContext, Converted, Form, IndexForm } from './conversion.ts';
export { convertersVersion } from './conversion-graph.ts';
export { convert } from './convert.ts';
export { libtrustKeyId } from './crypto/libtrust-key-id.ts';
export { generateSigningKey, readSigningKey, type SigningKey } from './crypto/signing-key.ts';
export { type Digest, digestOf, isDigest, parseDigest, verifyDigest } from './digest.ts';
export { type ConversionCode, ConversionError, type ConversionProblem, type Dialect } from './errors.ts';
export { v1ImageJson } from './formats/registry-v1/write.ts';
export { emptyLayer } from './formats/schema1/empty-layer.ts';
export { signSchema1 } from './formats/schema1/sign.ts';
export type { V1Image } from './formats/schema1/v1-chain.ts';
export { verifySchema1 } from './formats/schema1/verify.ts';
export { type HistoryEntry, type ImageConfig, readImageConfig } from './image-config.ts';
export { convertImage } from './images/convert-image.ts';
export { type ConvertedV1, convertToRegistryV1 } from './images/convert-to-v1.ts';
export { convertIndex } from './indexes/convert-index.ts';
export { selectImage as chooseImage } from './indexes/select-image.ts';
export { type Compression, layerTypeOf, mediaTypes } from './media-types.ts';
export type * from './model.ts';
export { formatPlatform, type Platform, parsePlatform } from './platform.ts';
export type { ConversionPorts, GzipLayer, LayerFacts } from './ports.ts';
export { readManifest, type Sketch, sketchManifest } from './read.ts';
export type { DerivedBlob } from './steps/step.ts';
