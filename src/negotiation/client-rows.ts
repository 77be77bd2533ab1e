import type { VersionRange } from './version.ts';

/** Facts about a client that its `Accept` header cannot express. */
export interface ClientProfile {
  /** Decompresses zstd layers. */
  readonly zstd: boolean;
  /** Reads schema 1 if `Accept` names it, or names no type. */
  readonly schema1: boolean;
  /** Reads OCI manifests and indexes if `Accept` names them. */
  readonly oci: boolean;
  /** Names the types of the manifests that it reads. */
  readonly namesTypes: boolean;
  /** Follows the pages of a list. */
  readonly pages: boolean;
  /** Can pull by registry API v2. */
  readonly apiV2: boolean;
  /** Pulls blobs by GET only, so that a HEAD of a blob is part of a push. */
  readonly pullsByGet: boolean;
  /** Names the type of its manifest alone in the HEAD before a push, so that this is not the HEAD of a pull. */
  readonly namesPushedType: boolean;
  /** Reads a `Location` that is a whole URL. */
  readonly urlLocations: boolean;
  /** Refuses a layer whose bytes do not match its digest. */
  readonly verifiesBlobs: boolean;
  /** Knows the type that Docker has for zstd layers, `application/vnd.docker.image.rootfs.diff.tar.zstd`. */
  readonly dockerZstdType: boolean;
  /** Reads OCI layer types inside a schema 2 manifest. */
  readonly ociTypesInSchema2: boolean;
  /** Reads a schema 2 manifest or a list that does not state its type. */
  readonly untypedSchema2: boolean;
  /** Reads an index inside an index. */
  readonly nestedIndex: boolean;
}

/** The lack of each capability in words, as the rest of a sentence about a client. */
export const lackPhrases: Readonly<Record<keyof ClientProfile, string>> = {
  zstd: 'cannot decompress zstd layers',
  schema1: 'does not read schema 1',
  oci: 'does not read OCI manifests and indexes',
  namesTypes: 'does not name the types that it reads',
  pages: 'reads only the first page of a list',
  apiV2: 'cannot pull by registry API v2',
  pullsByGet: 'may ask for a blob by HEAD before it pulls it',
  namesPushedType: 'names all types in the HEAD that it sends before a push',
  urlLocations: 'does not read a Location that is a whole URL',
  verifiesBlobs: 'does not compare layers with their digests',
  dockerZstdType: 'does not know the type that Docker has for zstd layers',
  ociTypesInSchema2: 'does not read OCI types inside a schema 2 manifest',
  untypedSchema2: 'does not read a schema 2 manifest or a list that does not state its mediaType',
  nestedIndex: 'does not read an index inside an index',
};

/** A program or a library, and its versions that a row applies to. */
export interface ProgramVersions extends VersionRange {
  /** Its name, as the User-Agent has it before a slash. */
  readonly program: string;
  /** A client that names the program without a version counts, too. */
  readonly unversioned?: true;
}

/** A capability that some versions of a program lack. */
export interface ProfileRow {
  /** The programs: those that share a library have each its own versions. */
  readonly programs: readonly ProgramVersions[];
  /** A name whose presence in the User-Agent exempts the client. */
  readonly without?: string;
  /** The row applies only to a library of the program that is built into another program ("1.6.20+unknown"). */
  readonly embedded?: true;
  readonly lacks: keyof ClientProfile;
  /**
   * A digest's own bytes go out: some clients with the same User-Agent have the capability, or the client also copies
   * images and unpacks none (`crane copy`, `ctr content fetch`, mirrors by containers/image).
   */
  readonly doubtful?: true;
  /** The observation, and the versions that it was made with. */
  readonly evidence: string;
}

/** A row, with the one program of it that a User-Agent names. */
export type AppliedRow = ProgramVersions & Omit<ProfileRow, 'programs'>;

/**
 * The programs of containers/image. podman calls itself `containers`; podman 1.5.2 to 3 called itself `libpod`
 * (podman, pull request 3793).
 */
export const containersImage: readonly ProgramVersions[] = [
  { program: 'containers' },
  { program: 'libpod' },
  { program: 'skopeo' },
  { program: 'Buildah' },
  { program: 'cri-o' },
];

/**
 * crane, ko, kaniko, cosign. Builds without data about modules, like those of Debian and Bazel, name it without a version
 * (pkg/v1/remote/transport/useragent.go), and a build of a clone has `(devel)`.
 */
const goContainerregistry: readonly ProgramVersions[] = [
  { program: 'go-containerregistry', unversioned: true },
];

/** All that is known about clients, one row for each missing capability. */
export const clientRows: readonly ProfileRow[] = [
  {
    programs: [{ program: 'docker', before: [1, 6, 0] }],
    lacks: 'apiV2',
    evidence: '1.5.0 reads a schema 1 manifest, downloads every blob, fails on sha256 and only then tries v1',
  },
  {
    programs: [{ program: 'docker', before: [1, 8, 0] }],
    lacks: 'verifiesBlobs',
    evidence:
      'graph/pull.go of 1.6: logs "Image verification failed: checksum mismatch for …" and goes on; earlier: no digest',
  },
  {
    programs: [{ program: 'docker', from: [1, 8, 0], before: [1, 10, 0] }],
    lacks: 'pullsByGet',
    evidence: '1.8.3, 1.9.1: HEAD and then GET of every layer of a pull; 1.6, 1.7, 1.10 and later: GET alone',
  },
  {
    programs: [{ program: 'docker', before: [1, 10, 0] }],
    lacks: 'namesTypes',
    evidence: '1.3.3 to 1.9.1 send no Accept, and read schema 1 alone',
  },
  {
    programs: [{ program: 'docker', before: [1, 12, 0] }],
    lacks: 'pages',
    evidence: '1.11: `pull --all-tags` takes the first page of tags/list for all; 1.12 follows Link',
  },
  {
    programs: [{ program: 'docker', from: [19, 3, 0], before: [19, 3, 5] }],
    lacks: 'oci',
    evidence: 'lists OCI types and parses them as schema 2: "mediaType in manifest should be …"',
  },
  {
    programs: [{ program: 'docker', from: [19, 3, 0] }],
    without: 'containerd-client',
    lacks: 'untypedSchema2',
    doubtful: true,
    evidence:
      "20.10: \"mediaType in manifest should be … not ''\", of lists, too. Not with containerd's store",
  },
  {
    programs: [{ program: 'docker', before: [23, 0, 0] }],
    lacks: 'zstd',
    evidence: '20.10: "archive/tar: invalid tar header" on a zstd layer',
  },
  {
    programs: [{ program: 'docker' }],
    without: 'containerd-client',
    lacks: 'nestedIndex',
    evidence:
      '20.10: "unsupported manifest format"; moby, distribution/pull_v2.go. Not with containerd\'s store',
  },
  {
    programs: [{ program: 'docker', from: [26, 0, 0] }],
    lacks: 'schema1',
    evidence: 'refused by default from 26.0, removed in 28.2',
  },
  {
    programs: [{ program: 'Docker-Client', before: [23, 0, 0] }],
    lacks: 'oci',
    evidence:
      '`docker manifest` of 20.10 names the OCI index, and reads no OCI manifest: "unsupported manifest media type and no default available" (docker/cli#3990)',
  },
  {
    programs: [{ program: 'Docker-Client' }],
    lacks: 'nestedIndex',
    evidence:
      '`docker manifest` of 20.10 and 28.2: "unsupported manifest format", "unsupported manifest type"',
  },
  {
    programs: [{ program: 'containerd-client', before: [2, 2, 0] }],
    lacks: 'dockerZstdType',
    doubtful: true,
    evidence: 'Docker 26 to 28 with containerd\'s store: "no processor for media-type"',
  },
  {
    programs: [{ program: 'containerd', before: [1, 5, 0] }],
    lacks: 'zstd',
    evidence: 'containerd 1.5.0 release notes: zstd support added',
  },
  {
    programs: [{ program: 'containerd', before: [1, 7, 0] }],
    embedded: true,
    lacks: 'zstd',
    doubtful: true,
    evidence:
      "BuildKit in Docker 20.10 cannot; Docker 23 and 24 with containerd's store can (moby#45669, #45671)",
  },
  {
    programs: [{ program: 'containerd', before: [2, 2, 0] }],
    lacks: 'dockerZstdType',
    doubtful: true,
    evidence: '1.6, 2.1: "no processor for media-type"',
  },
  {
    programs: [{ program: 'containerd', from: [2, 0, 0] }],
    lacks: 'schema1',
    evidence: 'refused by default from 2.0, removed in 2.1',
  },
  {
    programs: [{ program: 'buildkit', before: [0, 12, 0] }],
    lacks: 'dockerZstdType',
    doubtful: true,
    evidence: "util/winlayers/applier.go reads the type as OCI's from 0.12 on",
  },
  {
    programs: [
      { program: 'containers', before: [5, 38, 0] },
      { program: 'skopeo', before: [1, 21, 0] },
      { program: 'Buildah', before: [1, 42, 0] },
      { program: 'cri-o', before: [1, 35, 0] },
    ],
    lacks: 'dockerZstdType',
    doubtful: true,
    evidence:
      'podman 4.3, skopeo 1.9: "unsupported docker v2s2 media type"; known to image 5.38 (manifest/manifest.go)',
  },
  {
    programs: [{ program: 'libpod' }],
    lacks: 'dockerZstdType',
    doubtful: true,
    evidence: 'podman 1.5.2 to 3, which have containers/image before 5.38',
  },
  {
    programs: containersImage,
    lacks: 'ociTypesInSchema2',
    doubtful: true,
    evidence: '"unsupported docker v2s2 media type": image/manifest/manifest.go, SupportedSchema2MediaType',
  },
  {
    programs: containersImage,
    lacks: 'nestedIndex',
    evidence:
      'image/copy/single.go: "Unexpectedly received a manifest list instead of a manifest for a single image"',
  },
  {
    programs: goContainerregistry,
    lacks: 'schema1',
    doubtful: true,
    evidence: 'names schema 1 in Accept and refuses it (pkg/v1/remote, "unsupported MediaType")',
  },
  {
    programs: goContainerregistry,
    lacks: 'namesPushedType',
    evidence:
      'pkg/v1/remote/pusher.go, `manifestExists`, of crane, ko and kaniko: pushes nothing where a tag names its digest',
  },
  {
    programs: [{ program: 'azsdk-js-container-registry' }],
    lacks: 'urlLocations',
    evidence:
      '1.1.2 cuts off the first character of a Location, and takes the rest for a path (`uploadBlob`)',
  },
];
