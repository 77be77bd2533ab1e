import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Converted } from '../../../converters/conversion.ts';
import { v1ImageJson } from '../../../converters/formats/registry-v1/write.ts';
import type { ConvertedV1 } from '../../../converters/images/convert-to-v1.ts';
import { lossSentence } from '../../../converters/loss-text.ts';
import type { Loss } from '../../../converters/model.ts';
import { sizeText } from '../../byte-text.ts';
import { counted } from '../../counted.ts';
import { escapeControl } from '../../observability/log-format.ts';
import { type Io, printJson, printLines, printNote, withDigests } from '../terminal/io.ts';
import { UsageError } from '../usage.ts';
import type { FileStore } from './file-store.ts';
import { below, put, writeLayout } from './write-layout.ts';

interface Destination {
  readonly out?: string | undefined;
  readonly json?: true | undefined;
}

/**
 * Writes a converted manifest to standard output or a file, or writes it with its content to an OCI layout.
 * @throws UsageError if the conversion also made other content and the destination is not a folder.
 */
export async function writeConverted(
  converted: Converted,
  { out, json }: Destination,
  store: FileStore,
  io: Io,
): Promise<void> {
  const whole = [converted, ...below(converted)];
  if (out !== undefined && isFolder(out)) await writeLayout(out, converted, store);
  else if (whole.length > 1 || converted.blobs.length > 0) {
    throw new UsageError(
      'The conversion makes more than one manifest (configs, layers or child manifests). Name a folder: --out folder/',
    );
  } else if (out === undefined) printBody(converted.body, io);
  else writeFileSync(out, converted.body);
  const { kind, form, mediaType, digest, body, source } = converted;
  const losses = whole.flatMap((each) => each.losses.map((loss) => ({ manifest: each.source, ...loss })));
  const facts = { kind, form, mediaType, digest, size: body.length, source };
  if (json) printJson(io, { ...facts, out, losses });
  else printSummary(`${digest}  ${mediaType}  ${sizeText(body.length)}`, losses, out === undefined, io);
}

/** Prints exactly the bytes. Where both streams are terminals, a new line separates them from the note after them. */
function printBody(body: Uint8Array, io: Io): void {
  io.stdout(body);
  const isSeenWithNotes = io.output.columns !== undefined && io.errorColumns !== undefined;
  if (isSeenWithNotes && body.at(-1) !== newline) io.stderr('\n');
}

const newline = 0x0a;

/** Writes the images of registry API v1, which has no manifest: a JSON document for each image, and their list. */
export function writeV1({ images, losses }: ConvertedV1, { out, json }: Destination, io: Io): void {
  const ids = images.map(({ id }) => id);
  const list = images.map(({ id, parent, blob, empty, json: text }) => ({
    id,
    parent,
    layer: blob,
    empty,
    json: text,
  }));
  if (out === undefined) {
    printJson(io, list);
    printSummary(`${ids[0]}  registry API v1, ${counted(ids.length, 'image')}`, losses, true, io);
    return;
  }
  for (const image of images) put(join(out, 'images', image.id, 'json'), v1ImageJson(image));
  put(join(out, 'ancestry'), JSON.stringify(ids));
  put(join(out, 'layers'), JSON.stringify(Object.fromEntries(images.map(({ id, blob }) => [id, blob]))));
  if (json) printJson(io, { form: 'v1', id: ids[0], images: ids, out, losses });
  else printSummary(`${ids[0]}  registry API v1, ${counted(ids.length, 'image')}`, losses, false, io);
}

/** @param isNote true where standard output has the manifest. */
function printSummary(first: string, losses: readonly Loss[], isNote: boolean, io: Io): void {
  const print = isNote ? io.stderr : io.stdout;
  // The line has a whole digest, which does not fit into 80 columns beside anything else.
  print(`${escapeControl(first)}\n`);
  const lines = losses.map((each) => `lost: ${lossSentence(each)}`);
  if (isNote) for (const line of lines) printNote(io, line);
  else printLines(withDigests(io, { full: true }), lines);
}

function isFolder(path: string): boolean {
  return /[\\/]$/.test(path) || (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
}
