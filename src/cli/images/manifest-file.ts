import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ConversionError } from '../../../converters/errors.ts';
import { fetchModel } from '../../../converters/fetch.ts';
import type { IndexEntry, Model } from '../../../converters/model.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import { compressionOf, startsTar } from '../../layers/compression.ts';
import { UsageError } from '../usage.ts';
import { layoutPath } from './layout-path.ts';

/** Finds the manifest of a folder: the index of an OCI layout, or the manifest of skopeo's `dir:`. Files stay. */
export function manifestFile(path: string): string {
  const index = join(path, 'index.json');
  if (isFile(join(path, 'oci-layout')) && isFile(index)) return index;
  const manifest = join(path, 'manifest.json');
  return isFile(manifest) ? manifest : path;
}

/**
 * Tells whether a folder has an image, by the file that marks an OCI layout or skopeo's `dir:`, or by the folder of blobs
 * that `convert` writes beside schema 1.
 */
export function holdsImage(folder: string): boolean {
  const marks = ['oci-layout', 'version', 'blobs'];
  return marks.some((name) => existsSync(join(folder, name))) && isFile(manifestFile(folder));
}

/**
 * Replaces the index of an OCI layout with a single name by what this name stands for: such an index lists the names of
 * the layout, and not the platforms of an image.
 * @param keepsImage true if the index stays where it names an image: for a form of indexes, and to select a platform.
 * @throws UsageError for several names without platforms, each of which may stand for another image.
 */
export async function namedInLayout(
  model: Model,
  file: string,
  keepsImage: boolean,
  ports: ConversionPorts,
): Promise<Model> {
  const isLayout = basename(file) === 'index.json' && isFile(join(dirname(file), 'oci-layout'));
  if (!isLayout || model.kind !== 'index' || model.unusable.length > 0) return model;
  const names = model.dependencies.filter(({ platform, labels }) => !platform && labels.has(refName));
  if (names.length > 1) throw severalNames(file, names);
  const [only, ...others] = model.dependencies;
  if (only === undefined || only.platform || others.length > 0) return model;
  const named = await fetchModel(only, ports);
  return named.kind === 'image' && keepsImage ? model : named;
}

/** The annotation with a name of a layout (OCI image-spec, annotations.md). */
const refName = 'org.opencontainers.image.ref.name';

function severalNames(file: string, entries: readonly IndexEntry[]): UsageError {
  const found = entries.map(({ labels, digest }) => {
    const path = join(dirname(file), layoutPath(digest));
    return `${path} (${labels.get(refName)?.text})`;
  });
  return new UsageError(`${file} has several names. Name the file of one manifest: ${found.join(', ')}`);
}

/** @throws ConversionError UNREADABLE for files that look like an image and hold no manifest: archives, and lists of them. */
export function refuseArchive(first: Uint8Array, file: string): void {
  // A block of zeros ends an archive, and begins none that has an image.
  const isArchive = (first[0] !== 0 && startsTar(first)) || compressionOf(first) !== 'none';
  const isList = /^\s*\[/.test(new TextDecoder().decode(first.subarray(0, 16)));
  if (!isArchive && !isList) return;
  throw new ConversionError({
    code: 'UNREADABLE',
    message: isArchive
      ? `${file} is an archive, and not a manifest`
      : `${file} is a list, like the manifest.json of docker save, and not a manifest`,
    expected:
      'a manifest, or a folder with one. skopeo copy docker-archive:<archive> oci:<folder> makes the folder from an archive of docker save',
  });
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
