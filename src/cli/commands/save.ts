import { generateSigningKey } from '../../../converters/crypto/signing-key.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { selectImage } from '../../../converters/indexes/select-image.ts';
import { lossSentence } from '../../../converters/loss-text.ts';
import type { Image } from '../../../converters/model.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import { readManifest } from '../../../converters/read.ts';
import { byteText } from '../../byte-text.ts';
import { knownClientById } from '../../negotiation/known-clients.ts';
import { depthObstacle, straightClient } from '../../negotiation/straight.ts';
import { storedManifest } from '../../registry/inspection/inspected-image.ts';
import { isDockerHub } from '../../upstream/docker-hub.ts';
import { refuseOtherPlatform } from '../images/image-platform.ts';
import { orKnownTags } from '../images/known-tags.ts';
import { withSpool } from '../images/layer-spool.ts';
import { type OpenImage, openImage } from '../images/open-image.ts';
import type { AccessOptions } from '../registry-options.ts';
import { openArchiveFile } from '../save/archive-file.ts';
import { type ArchiveForm, archiveFormFor, archiveForms } from '../save/archive-form.ts';
import { type ArchiveSink, type ArchiveWriter, writeArchive } from '../save/archive-writer.ts';
import type { Archived, SavedImage } from '../save/saved-image.ts';
import {
  type DataOptions,
  type Io,
  outputFile,
  printData,
  printLines,
  printNote,
  withDigests,
} from '../terminal/io.ts';
import { exitCodes, UsageError, unknownClient } from '../usage.ts';

export interface SaveOptions extends AccessOptions, DataOptions {
  readonly for: string;
  readonly output?: string | undefined;
  readonly platform?: Platform | undefined;
  readonly full?: true | undefined;
}

/** `regshift save`: writes an archive that the `load` of a client reads. @throws UsageError, ConversionError. */
export async function save(text: string, options: SaveOptions, io: Io): Promise<number> {
  const form = formFor(options);
  const file = fileOf(options, io);
  const source = await openImage(text, { ...options, readLayers: true }, io);
  const archiveFile = file === undefined ? undefined : await openArchiveFile(file);
  try {
    await saveInto(archiveFile?.sink ?? io.pipe, { text, form, file, source }, options, io);
    return exitCodes.good;
  } finally {
    await archiveFile?.close();
  }
}

interface Request {
  readonly text: string;
  readonly form: ArchiveForm;
  readonly file: string | undefined;
  readonly source: OpenImage;
}

async function saveInto(
  sink: ArchiveSink,
  { text, form, file, source }: Request,
  options: SaveOptions,
  io: Io,
): Promise<void> {
  const { saved, archived, size } = await withSpool(source, io, async (spool, progress) => {
    const saved = await savedImage({ source, spool, onRead: progress.add }, form, options);
    refuseDepth(saved.image, options);
    progress.begin('read', downloadSize(saved.image));
    return { saved, ...(await written(sink, (archive) => archiveForms[form].write(archive, saved))) };
  });
  report({ image: text, form, file, size, ...archived }, saved, options, io);
}

function formFor({ for: client }: SaveOptions): ArchiveForm {
  const known = knownClientById(client);
  if (known) return archiveFormFor(known);
  throw unknownClient(client);
}

/** @returns the file to write; undefined for standard output. @throws UsageError for a terminal. */
function fileOf({ output, json, format }: SaveOptions, io: Io): string | undefined {
  const file = outputFile(output);
  if (file !== undefined) return file;
  if (json || format)
    throw new UsageError(
      '--json and --format print the result to standard output. Name a file for the archive: -o image.tar',
    );
  if (io.output.columns !== undefined)
    throw new UsageError('The archive is not for a terminal. Name a file: -o image.tar');
  return undefined;
}

async function savedImage(
  parts: Pick<SavedImage, 'source' | 'spool' | 'onRead'>,
  form: ArchiveForm,
  { platform }: SaveOptions,
): Promise<SavedImage> {
  const { source, spool } = parts;
  const { registry, name, reference, plain } = source;
  const { bytes, contentType } = await orKnownTags(source, storedManifest(source));
  const stored = registry.stored.ports(name, plain.context);
  const ports: ConversionPorts = {
    ...stored,
    // An archive with plain tars needs each layer anyway; an OCI layout needs no layer to be read before.
    layerFacts: async (layer) =>
      form === 'oci' ? stored.layerFacts(layer) : (await spool.tar(layer.digest)).facts,
    signingKey: generateSigningKey,
  };
  const model = readManifest(bytes, contentType);
  await refuseOtherPlatform(model, platform, ports);
  const isIndex = model.kind === 'index';
  const image = isIndex ? await selectImage(model, registry.platform, ports) : model;
  const unpackZstd = form !== 'oci';
  return {
    ...parts,
    image,
    platform: isIndex ? formatPlatform(registry.platform) : undefined,
    context: { ports, name, tag: '', unpackZstd, probeLayers: unpackZstd },
    repository: engineName(source),
    tag: reference.kind === 'tag' ? reference.tag : undefined,
  };
}

/** @throws ConversionError for an image that no archive brings into the client. */
function refuseDepth(image: Image, { for: id }: SaveOptions): void {
  const client = straightClient(id);
  const depth = client && depthObstacle(client, image);
  if (!depth) return;
  throw new ConversionError({
    code: 'INEXPRESSIBLE',
    message: `${client.name} cannot load the image: ${depth.reason}; rebuild it with fewer layers`,
  });
}

/** The name that `docker images` shows: images of Docker Hub are without its host, and official ones without `library/`. */
function engineName({ registryUrl, name }: OpenImage): string {
  if (!isDockerHub(registryUrl)) return `${registryUrl.host}/${name}`;
  return name.startsWith('library/') ? name.slice('library/'.length) : name;
}

/** Bytes to download; undefined where the manifest does not state them (schema 1). */
function downloadSize({ dependencies }: Image): number | undefined {
  const different = new Map(dependencies.map(({ digest, size }) => [digest, size]));
  let total = 0;
  for (const size of different.values()) {
    if (size === undefined) return undefined;
    total += size;
  }
  return total;
}

async function written(
  sink: ArchiveSink,
  write: (archive: ArchiveWriter) => Promise<Archived>,
): Promise<{ readonly archived: Archived; readonly size: number }> {
  let archived: Archived | undefined;
  let size = 0;
  async function* counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const bytes of chunks) {
      size += bytes.length;
      yield bytes;
    }
  }
  await writeArchive(
    (chunks) => sink(counted(chunks)),
    async (archive) => {
      archived = await write(archive);
    },
  );
  if (archived === undefined) throw new Error('an archive is written to its end');
  return { archived, size };
}

interface Result extends Archived {
  readonly image: string;
  readonly form: ArchiveForm;
  readonly file: string | undefined;
  readonly size: number;
}

function report(result: Result, { platform }: SavedImage, options: SaveOptions, io: Io): void {
  const { image, form, file, size, id, losses } = result;
  const facts = { image, for: options.for, form, output: file, platform, id, size, losses };
  if (printData(io, facts, options)) return;
  const lines = [
    `${file ?? 'standard output'} has ${image} for ${options.for}: ${archiveForms[form].content}, ${byteText(size)}`,
    `  id        ${id}`,
    ...(platform === undefined ? [] : [`  platform  ${platform}`]),
    ...losses.map((each) => `lost: ${lossSentence(each)}`),
  ];
  if (file !== undefined) printLines(withDigests(io, options), lines);
  else printNote(io, lines.join('\n'));
}
