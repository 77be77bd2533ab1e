import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Converted } from '../../../converters/conversion.ts';
import { v1ImageJson } from '../../../converters/formats/registry-v1/write.ts';
import type { ConvertedV1 } from '../../../converters/images/convert-to-v1.ts';
import type { Loss } from '../../../converters/model.ts';
import { escapeControl, type Io, printJson } from '../terminal/io.ts';
import { UsageError } from '../usage.ts';
import type { FileStore } from './file-store.ts';
import { below, put, writeLayout } from './write-layout.ts';

interface Destination {
  readonly out?: string | undefined;
  readonly json?: true | undefined;
}

/** To standard output, to a file, or with all that belongs to it into an OCI layout. */
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
      'More than a manifest comes of this (configs, layers or manifests below it): name a folder by --out folder/',
    );
  } else if (out === undefined) io.stdout(converted.body);
  else writeFileSync(out, converted.body);
  const { kind, form, mediaType, digest, body, source } = converted;
  const losses = whole.flatMap((each) => each.losses.map((loss) => ({ manifest: each.source, ...loss })));
  const facts = { kind, form, mediaType, digest, size: body.length, source };
  if (json) printJson(io, { ...facts, out, losses });
  else
    tellOf(
      `${digest}  ${mediaType}  ${body.length} bytes`,
      losses,
      out === undefined ? io.stderr : io.stdout,
    );
}

/** Registry API v1 has no manifest: a JSON for each image, and the list of all. */
export function writeV1({ images, losses }: ConvertedV1, { out, json }: Destination, io: Io): void {
  const ids = images.map(({ id }) => id);
  const listed = images.map(({ id, parent, blob, empty, json: text }) => ({
    id,
    parent,
    layer: blob,
    empty,
    json: text,
  }));
  if (out === undefined) {
    printJson(io, listed);
    tellOf(`${ids[0]}  registry API v1, ${ids.length} images`, losses, io.stderr);
    return;
  }
  for (const image of images) put(join(out, 'images', image.id, 'json'), v1ImageJson(image));
  put(join(out, 'ancestry'), JSON.stringify(ids));
  put(join(out, 'layers'), JSON.stringify(Object.fromEntries(images.map(({ id, blob }) => [id, blob]))));
  if (json) printJson(io, { form: 'v1', id: ids[0], images: ids, out, losses });
  else tellOf(`${ids[0]}  registry API v1, ${ids.length} images`, losses, io.stdout);
}

function tellOf(first: string, losses: readonly Loss[], tell: (text: string) => void): void {
  const lines = losses.map(({ path, reason }) => `lost: ${path} ${reason}`);
  tell([first, ...lines].map((line) => `${escapeControl(line)}\n`).join(''));
}

function isFolder(path: string): boolean {
  return /[\\/]$/.test(path) || (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
}
