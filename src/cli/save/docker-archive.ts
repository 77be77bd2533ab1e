import { digestHex } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { readImageConfig } from '../../../converters/image-config.ts';
import { convertImage } from '../../../converters/images/convert-image.ts';
import type { Layer } from '../../../converters/model.ts';
import type { SpooledFile } from '../images/layer-spool.ts';
import type { ArchiveWriter } from './archive-writer.ts';
import { type Archived, partsOf, type SavedImage, tagsOf } from './saved-image.ts';

/**
 * Writes the form that Docker reads from 1.10 on (moby 1.10, image/tarexport/load.go): the config, a plain tar for each
 * layer, and `manifest.json`, which names them. It is the last entry, so that an archive that broke off is none.
 */
export async function writeDockerArchive(archive: ArchiveWriter, saved: SavedImage): Promise<Archived> {
  const converted = await convertImage(saved.image, 'schema2', saved.context);
  const { config, configBytes, layers } = await partsOf(converted, saved.context);
  const { diffIds = [] } = readImageConfig(configBytes);
  const configName = `${digestHex(config.digest)}.json`;
  await archive.bytes(configName, configBytes);
  const written = new Set<string>();
  const names: string[] = [];
  for (const [index, layer] of layers.entries()) {
    const tar = await saved.spool.named(layer.digest);
    if (tar.digest !== diffIds[index]) throw otherContent(layer, tar, diffIds[index]);
    const folder = digestHex(tar.digest);
    names.push(`${folder}/layer.tar`);
    if (!written.has(folder)) {
      await archive.folder(folder);
      await archive.file(`${folder}/layer.tar`, tar);
    }
    written.add(folder);
    if (!layers.slice(index + 1).some(({ digest }) => digest === layer.digest)) {
      await saved.spool.remove(tar);
    }
  }
  const described = [{ Config: configName, RepoTags: tagsOf(saved), Layers: names }];
  await archive.bytes('manifest.json', `${JSON.stringify(described)}\n`);
  return { id: config.digest, losses: converted.losses };
}

function otherContent({ digest }: Layer, tar: SpooledFile, expected: string | undefined): ConversionError {
  return new ConversionError({
    code: 'DIGEST_MISMATCH',
    message: `The layer ${digest} is not what the config says it is, unpacked`,
    path: '$.rootfs.diff_ids',
    found: tar.digest,
    expected: expected ?? 'as many layers as diff_ids',
  });
}
