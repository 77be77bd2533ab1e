import { lossSummary } from '../../../converters/loss-text.ts';
import type { Platform } from '../../../converters/platform.ts';
import { sizeText } from '../../byte-text.ts';
import { counted } from '../../counted.ts';
import { formPhrase } from '../../negotiation/format-names.ts';
import { type ClientView, clientViews } from '../../registry/inspection/client-views.ts';
import {
  describeStored,
  entryText,
  type StoredDescription,
  type StoredLayer,
} from '../../registry/inspection/describe-stored.ts';
import { storedManifest } from '../../registry/inspection/inspected-image.ts';
import { orKnownTags } from '../images/known-tags.ts';
import { openImage } from '../images/open-image.ts';
import type { AccessOptions } from '../registry-options.ts';
import { type DataOptions, type Io, printData, printLines, withDigests } from '../terminal/io.ts';
import { printTable } from '../terminal/print-table.ts';
import { createActivity } from '../terminal/progress.ts';
import { exitCodes } from '../usage.ts';

interface Options extends AccessOptions, DataOptions {
  readonly platform?: Platform | undefined;
  readonly readLayers?: true | undefined;
  readonly raw?: true | undefined;
  readonly full?: true | undefined;
}

/** `regshift inspect`: prints the stored image, and the response that each known client gets. */
export async function inspect(text: string, options: Options, io: Io): Promise<number> {
  const image = await openImage(text, { ...options, asProxy: true }, io);
  if (options.raw) {
    io.stdout((await orKnownTags(image, storedManifest(image))).bytes);
    return exitCodes.good;
  }
  const stored = await orKnownTags(image, describeStored(image));
  const activity = createActivity(io);
  const clients = await clientViews(image, options.platform, ({ name }) =>
    activity.step(`the image for ${name}`),
  );
  activity.end();
  if (printData(io, { image: text, stored, clients }, options)) return exitCodes.good;
  const shown = withDigests(io, options);
  printStored(text, stored, shown);
  printLines(shown, ['']);
  printClients(clients, shown);
  return exitCodes.good;
}

function printStored(text: string, stored: StoredDescription, io: Io): void {
  const { digest, mediaType, size, entries, image, noImage } = stored;
  printLines(io, [`${text} is stored as ${formPhrase(mediaType)}: ${digest}, ${sizeText(size)}`]);
  if (entries) {
    const rows = entries.map((entry) => [entryText(entry), entry.form, sizeText(entry.size), entry.digest]);
    printLines(io, ['', `${counted(entries.length, 'entry', 'entries')}:`]);
    printTable(io, rows, undefined, '  ');
  }
  if (noImage !== undefined) printLines(io, ['', noImage]);
  if (image) printImage(image, entries !== undefined, io);
}

function printImage(image: NonNullable<StoredDescription['image']>, ofIndex: boolean, io: Io): void {
  const { platform, config, history, layers, digest } = image;
  const rows = [
    ...(ofIndex ? [['image', digest]] : []),
    ['platform', platform ?? 'unknown'],
    ['config', config ? `${config.digest}, ${sizeText(config.size)}` : 'none: schema 1 has v1 images'],
    ['history', history === undefined ? 'none' : counted(history, 'entry', 'entries')],
    ['layers', layers.length > 1 ? `${layers.length}, base first` : String(layers.length)],
  ];
  printLines(io, ['']);
  printTable(io, rows);
  printTable(io, layers.map(layerRow), undefined, '  ');
}

function layerRow({ digest, compression, size }: StoredLayer): string[] {
  return [compression === 'none' ? 'plain tar' : compression, sizeText(size), digest];
}

function printClients(clients: readonly ClientView[], io: Io): void {
  const rows = clients.map(({ client, form, digest, losses, unread }) => [
    client,
    form.replace('registry API', 'API'),
    digest ?? '',
    unread ? 'unknown: layers not read' : lossSummary(losses),
  ]);
  printTable(io, rows, ['client', 'gets', 'digest', 'loses']);
  const refusals = Map.groupBy(
    clients.filter(({ refused }) => refused !== undefined),
    ({ refused }) => refused,
  );
  for (const [why, refused] of refusals) {
    printLines(io, ['', `${refused.map(({ client }) => client).join(', ')}: ${why}`]);
  }
  if (clients.some(({ unread }) => unread)) printLines(io, ['', 'Use --read-layers to read the layers now.']);
}
