import { v1ImageJson } from '../../../converters/formats/registry-v1/write.ts';
import type { V1Image } from '../../../converters/formats/schema1/v1-chain.ts';
import { convertToRegistryV1 } from '../../../converters/images/convert-to-v1.ts';
import type { ArchiveWriter } from './archive-writer.ts';
import type { Archived, SavedImage } from './saved-image.ts';

/** The version of the layout of a v1 image's folder (Docker 1.9, image/spec/v1.md, "Combined Image JSON + Filesystem"). */
const layoutVersion = '1.0';

/** A tar without entries: two blocks of zeros. */
const emptyTar = new Uint8Array(1024);

/**
 * Writes the form that Docker reads up to 1.9 (moby 1.9, graph/load.go): a folder for each v1 image, and `repositories`, which maps
 * names to the id of the newest one.
 */
export async function writeV1Archive(archive: ArchiveWriter, saved: SavedImage): Promise<Archived> {
  const { images, losses } = await convertToRegistryV1(saved.image, saved.context);
  const [newest] = images;
  if (newest === undefined) throw new Error('an image has at least one v1 image');
  for (const [index, image] of images.toReversed().entries()) {
    const later = images.slice(0, images.length - 1 - index);
    await writeV1Image(archive, image, saved, later);
  }
  const { repository, tag } = saved;
  if (repository !== undefined && tag !== undefined) {
    await archive.bytes('repositories', `${JSON.stringify({ [repository]: { [tag]: newest.id } })}\n`);
  }
  return { id: newest.id, losses };
}

/** @param later the images that follow, which may have the same layer. */
async function writeV1Image(
  archive: ArchiveWriter,
  image: V1Image,
  { spool }: SavedImage,
  later: readonly V1Image[],
): Promise<void> {
  await archive.folder(image.id);
  await archive.bytes(`${image.id}/VERSION`, layoutVersion);
  await archive.bytes(`${image.id}/json`, v1ImageJson(image));
  const name = `${image.id}/layer.tar`;
  if (image.empty) return archive.bytes(name, emptyTar);
  const tar = await spool.named(image.blob);
  await archive.file(name, tar);
  if (!later.some(({ blob }) => blob === image.blob)) await spool.remove(tar);
}
