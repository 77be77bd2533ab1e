import type { ImageConfig } from '../../image-config.ts';
import { type GoTime, zeroTime } from '../../json/go-time.ts';
import { encodeText, quote, quoteInTurns } from '../../json/lossless-text.ts';
import type { Image } from '../../model.ts';
import type { TakeTurn } from '../../ports.ts';
import { type V1Image, v1Chain } from './v1-chain.ts';

export interface Schema1Options {
  /** The repository's name upstream, so that digests do not depend on the route. */
  readonly name: string;
  /** The requested tag, or "" if the request has a digest. */
  readonly tag: string;
}

export interface Schema1Payload {
  /** The unsigned document. Its digest is the digest of the manifest. */
  readonly payload: Uint8Array;
  /** The creation time of the image. As the signed time it makes repeated signings state the same time. */
  readonly created: GoTime;
}

/**
 * Writes the unsigned document, byte for byte as docker-registry 2.8.2 does.
 * @param turn waits between the steps: the v1 images, the text of each, and the bytes of the document.
 * @throws ConversionError INEXPRESSIBLE or INVALID.
 */
export async function writeSchema1(
  image: Image,
  config: ImageConfig,
  options: Schema1Options,
  turn?: TakeTurn,
): Promise<Schema1Payload> {
  const chain = v1Chain(config, image.dependencies, 'schema1');
  const images: string[] = [];
  for (const { json } of chain) {
    images.push(await quoteInTurns(json, turn));
  }
  const text = documentText(chain, images, config, options);
  await turn?.(text.length);
  const payload = encodeText(text);
  return { payload, created: config.created ?? zeroTime };
}

/** @param images the v1 images as JSON strings. */
function documentText(
  chain: readonly V1Image[],
  images: readonly string[],
  config: ImageConfig,
  options: Schema1Options,
): string {
  const items = (lines: readonly string[]) =>
    lines.map((line) => `      {\n         ${line}\n      }`).join(',\n');
  return [
    '{',
    '   "schemaVersion": 1,',
    `   "name": ${quote(options.name)},`,
    `   "tag": ${quote(options.tag)},`,
    `   "architecture": ${quote(config.architecture)},`,
    '   "fsLayers": [',
    items(chain.map((entry) => `"blobSum": ${quote(entry.blob)}`)),
    '   ],',
    '   "history": [',
    items(images.map((image) => `"v1Compatibility": ${image}`)),
    '   ]',
    '}',
  ].join('\n');
}
