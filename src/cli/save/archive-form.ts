import type { KnownClient } from '../../negotiation/known-clients.ts';
import { compareVersions } from '../../negotiation/version.ts';
import type { ArchiveWriter } from './archive-writer.ts';
import { writeDockerArchive } from './docker-archive.ts';
import { writeOciArchive } from './oci-archive.ts';
import type { Archived, SavedImage } from './saved-image.ts';
import { writeV1Archive } from './v1-archive.ts';

/**
 * The forms of an archive. `v1`: `repositories`, and a folder for each v1 image. `docker`: `manifest.json`, the config and
 * plain layers. `oci`: an OCI layout with the stored layers, and a `manifest.json` that names the same blobs.
 *
 * containerd reads a layout where there is one, and keeps its manifest. From `manifest.json` alone it makes a schema 2
 * manifest with another digest (containerd 1.6, images/archive/importer.go; 2.0, core/images/archive/importer.go).
 */
export type ArchiveForm = 'v1' | 'docker' | 'oci';

/** moby 1.10.0, image/tarexport/load.go: the first version that reads `manifest.json`. */
const readsManifestJson = [1, 10, 0] as const;

/**
 * The first group of Docker's versions that gets a layout with the stored layers. Without containerd's store, Docker reads
 * its `manifest.json`, and layers with gzip from 1.10 on (moby, image/tarexport/load.go, `loadLayer`), and with zstd from
 * 23.0 on (pkg/archive/archive.go, `DecompressStream`). With the store, it reads the layout, as containerd does (moby 24.0,
 * daemon/containerd/image_exporter.go, `LoadImage`). `docker save` writes layouts from 25.0 on (image/tarexport/save.go).
 * The group before has 23 to 25 (known-clients.ts).
 */
const readsLayouts = [26, 0, 0] as const;

/** The form that the `load` of a client reads. All clients but Docker's older versions read OCI layouts. */
export function archiveFormFor({ program, from }: KnownClient): ArchiveForm {
  if (program !== 'docker' || compareVersions(from, readsLayouts) >= 0) return 'oci';
  return compareVersions(from, readsManifestJson) >= 0 ? 'docker' : 'v1';
}

interface ArchiveFormRow {
  readonly write: (archive: ArchiveWriter, saved: SavedImage) => Promise<Archived>;
  /** The content of the archive, for people. */
  readonly content: string;
}

export const archiveForms: Readonly<Record<ArchiveForm, ArchiveFormRow>> = {
  v1: { write: writeV1Archive, content: 'v1 images and repositories' },
  docker: { write: writeDockerArchive, content: 'manifest.json and plain layers' },
  oci: { write: writeOciArchive, content: 'an OCI layout and manifest.json' },
};
