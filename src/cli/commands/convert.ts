import { readFileSync } from 'node:fs';
import type { ConversionContext, Converted } from '../../../converters/conversion.ts';
import {
  generateSigningKey,
  readSigningKey,
  type SigningKey,
} from '../../../converters/crypto/signing-key.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { convertImage } from '../../../converters/images/convert-image.ts';
import { type ConvertedV1, convertToRegistryV1 } from '../../../converters/images/convert-to-v1.ts';
import { convertIndex } from '../../../converters/indexes/convert-index.ts';
import { selectImage } from '../../../converters/indexes/select-image.ts';
import type { Image, Model } from '../../../converters/model.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import { readManifest } from '../../../converters/read.ts';
import { parseRepositoryName, parseTag } from '../../../converters/reference.ts';
import { type ConvertTarget, needsPlainTars, targets } from '../images/convert-target.ts';
import { folderOf, openFileStore, readInput } from '../images/file-store.ts';
import { manifestFile, namedInLayout } from '../images/manifest-file.ts';
import { writeConverted, writeV1 } from '../images/write-converted.ts';
import { type Io, outputFile, printNote } from '../terminal/io.ts';
import { exitCodes, UsageError } from '../usage.ts';

export interface ConvertOptions {
  readonly to: ConvertTarget;
  readonly config?: string | undefined;
  readonly from?: string | undefined;
  readonly name?: string | undefined;
  readonly tag: string;
  readonly key?: string | undefined;
  readonly platform?: Platform | undefined;
  readonly zstd: boolean;
  readonly out?: string | undefined;
  readonly json?: true | undefined;
}

/** `regshift convert`: converts a manifest in a file. @throws UsageError, ConversionError. */
export async function convertFile(path: string, given: ConvertOptions, io: Io): Promise<number> {
  const options = { ...given, out: outputFile(given.out) };
  if (options.json && options.out === undefined) {
    throw new UsageError(
      '--json prints the result of the conversion. Use --out to name the file for the manifest.',
    );
  }
  const file = manifestFile(path);
  const bytes = await readInput(file, io);
  const store = openFileStore(options.from ?? folderOf(file), options.config ? [options.config] : []);
  const context = contextOf(options, { ...store.ports, signingKey: () => keyOf(options.key, io) });
  const keepsImage = options.platform !== undefined || targets[options.to].image === undefined;
  const model = await namedInLayout(readManifest(bytes), file, keepsImage, context.ports);
  const made = await converted(model, context, options);
  if ('images' in made) writeV1(made, options, io);
  else await writeConverted(made, options, store, io);
  return exitCodes.good;
}

function contextOf(options: ConvertOptions, ports: ConversionContext['ports']): ConversionContext {
  const { name, tag, to, zstd } = options;
  const { image, index } = targets[to];
  if (name === undefined && to === 'schema1') {
    throw new UsageError('Schema 1 contains the repository name. Set it with --name, like --name team/app.');
  }
  if (name !== undefined && parseRepositoryName(name) === undefined) {
    throw new UsageError(
      `${JSON.stringify(name)} is not a repository name. Use lower-case letters, like team/app.`,
    );
  }
  if (parseTag(tag) === undefined)
    throw new UsageError(`${JSON.stringify(tag)} is not a tag. A tag has letters, digits, ".", "_" and "-".`);
  return { ports, name: name ?? '', tag, unpackZstd: !zstd || needsPlainTars(image ?? index) };
}

async function converted(
  model: Model,
  context: ConversionContext,
  { to, platform }: ConvertOptions,
): Promise<Converted | ConvertedV1> {
  const { image, index } = targets[to];
  if (model.kind === 'index' && index !== undefined && !(image && platform)) {
    return convertIndex(model, index, { ...context, layersOf: platform });
  }
  if (image === undefined) throw notAnIndex(to);
  const one = model.kind === 'index' ? await imageOfIndex(model, platform, to, context) : model;
  return image === 'v1' ? convertToRegistryV1(one, context) : convertImage(one, image, context);
}

/** Selects an image of an index. @throws UsageError without a platform. */
function imageOfIndex(
  model: Extract<Model, { kind: 'index' }>,
  platform: Platform | undefined,
  to: ConvertTarget,
  { ports }: ConversionContext,
): Promise<Image> {
  if (platform) return selectImage(model, platform, ports);
  const found = model.dependencies.flatMap((entry) =>
    entry.platform && !entry.attestation ? [formatPlatform(entry.platform)] : [],
  );
  throw new UsageError(
    `This is an index, but ${to} holds one image. Select the image with --platform${found.length > 0 ? ` (${found.join(', ')})` : ''}, ` +
      'or convert the whole index with --to list, index or generic.',
  );
}

function notAnIndex(to: ConvertTarget): ConversionError {
  return new ConversionError({
    code: 'INEXPRESSIBLE',
    message: `This is one image, but --to ${to} is for an index`,
    expected: '--to schema1, schema2, oci, generic or v1',
  });
}

async function keyOf(file: string | undefined, io: Io): Promise<SigningKey> {
  if (file !== undefined) return readSigningKey(readFileSync(file, 'utf8'));
  printNote(io, 'Signed with a new key, because --key is not set. The digest does not depend on the key.');
  return generateSigningKey();
}
