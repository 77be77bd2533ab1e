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
 */
export type ArchiveForm = 'v1' | 'docker' | 'oci';

/** moby 1.10.0, image/tarexport/load.go: the first version that reads `manifest.json`. */
const readsManifestJson = [1, 10, 0] as const;

/**
 * The generation of Docker that reads and writes OCI layouts: `docker save` of 25.0 writes them, and containerd's store,
 * which 26 can load with, reads them alone.
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
