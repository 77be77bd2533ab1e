import type { Platform } from '../../converters/platform.ts';
import { compareVersions, readVersion, type Version } from './version.ts';

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
  /** Refuses a layer whose bytes do not match its digest. */
  readonly verifiesBlobs: boolean;
  /** Knows the type that Docker has for zstd layers, `application/vnd.docker.image.rootfs.diff.tar.zstd`. */
  readonly dockerZstdType: boolean;
  /** Reads OCI layer types inside a schema 2 manifest. */
  readonly ociTypesInSchema2: boolean;
  /** Reads an index inside an index. */
  readonly nestedIndex: boolean;
}

/** A client, as its User-Agent describes it. */
export interface Client {
  readonly profile: ClientProfile;
  /**
   * The profile for a request by digest, with the capabilities that are doubtful: a tag is converted for a client that
   * may lack one, and a digest's own bytes go out.
   */
  readonly digestProfile: ClientProfile;
  /** The platform that the User-Agent names; undefined if it names none. */
  readonly platform: Platform | undefined;
  /** Program and version, for logs: "docker/1.9.1". */
  readonly name: string;
  /** The rows that apply to it. */
  readonly rows: readonly AppliedRow[];
}

/** A program or a library, and the versions of it that a row applies to. */
export interface VersionRange {
  /** Its name, as the User-Agent has it before a slash. */
  readonly program: string;
  /** The first version that lacks the capability; undefined for all versions up to `before`. */
  readonly from?: Version;
  /** The first later version that has it; undefined if all later versions lack it. */
  readonly before?: Version;
}

/** A capability that some versions of a program lack. */
export interface ProfileRow {
  /** The programs: those that share a library have each its own versions. */
  readonly programs: readonly VersionRange[];
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
export type AppliedRow = VersionRange & Omit<ProfileRow, 'programs'>;

/** The programs of containers/image. podman calls itself `containers`. */
const containersImage: readonly VersionRange[] = [
  { program: 'containers' },
  { program: 'skopeo' },
  { program: 'Buildah' },
  { program: 'cri-o' },
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
    programs: [{ program: 'go-containerregistry' }],
    lacks: 'schema1',
    doubtful: true,
    evidence: 'names schema 1 in Accept and refuses it (pkg/v1/remote, "unsupported MediaType")',
  },
];

const fullProfile: ClientProfile = {
  namesTypes: true,
  pages: true,
  zstd: true,
  schema1: true,
  oci: true,
  apiV2: true,
  pullsByGet: true,
  verifiesBlobs: true,
  dockerZstdType: true,
  ociTypesInSchema2: true,
  nestedIndex: true,
};

/** The number of characters that are read of a User-Agent; the longest one seen has 300. */
const maximumLength = 1024;

/**
 * Describes a client by its User-Agent. An unknown client lacks nothing.
 * @param userAgent the header as sent. Docker from 1.13 on quotes another program inside `UpstreamClient(…)`.
 */
export function describeClient(userAgent: string | undefined): Client {
  const own = (userAgent ?? '').slice(0, maximumLength).split('UpstreamClient(', 1)[0] ?? '';
  const programs = programsIn(own);
  const rows = programs.flatMap((each) => rowsFor(each, programs));
  const [, first = ''] = /^([A-Za-z0-9_.-]+\/\S+)/.exec(own) ?? [];
  const profile = profileOf(rows);
  const certain = rows.filter(({ doubtful }) => !doubtful);
  return {
    profile,
    digestProfile: certain.length === rows.length ? profile : profileOf(certain),
    platform: platformOf(own),
    name: first || 'unknown',
    rows,
  };
}

function profileOf(rows: readonly AppliedRow[]): ClientProfile {
  if (rows.length === 0) return fullProfile;
  const profile: { -readonly [Capability in keyof ClientProfile]: boolean } = { ...fullProfile };
  for (const { lacks } of rows) profile[lacks] = false;
  return profile;
}

/** A program or a library in a User-Agent. */
interface Program {
  readonly name: string;
  readonly text: string;
  readonly version: Version;
}

const rowsByProgram: ReadonlyMap<string, readonly AppliedRow[]> = Map.groupBy(
  clientRows.flatMap(({ programs, ...row }) => programs.map((range): AppliedRow => ({ ...range, ...row }))),
  ({ program }) => program,
);

/** The known programs of a User-Agent: a client may name itself first, and the library that reads manifests after that. */
function programsIn(userAgent: string): readonly Program[] {
  return userAgent.split(' ').flatMap((word) => {
    const slash = word.indexOf('/');
    const name = word.slice(0, slash);
    if (!rowsByProgram.has(name)) return [];
    const text = word.slice(slash + 1);
    const version = readVersion(text);
    return version ? [{ name, text, version }] : [];
  });
}

function rowsFor({ name, text, version }: Program, named: readonly Program[]): readonly AppliedRow[] {
  return (rowsByProgram.get(name) ?? []).filter(({ from, before, embedded, without }) => {
    if (embedded && !text.endsWith('+unknown')) return false;
    if (without && named.some((each) => each.name === without)) return false;
    return (
      (!from || compareVersions(version, from) >= 0) && (!before || compareVersions(version, before) < 0)
    );
  });
}

/** Systems and architectures that Go builds for (`go tool dist list` of Go 1.4 to 1.25); Docker sends Go's words. */
const systems: ReadonlySet<string> = new Set([
  'linux',
  'windows',
  'darwin',
  'freebsd',
  'netbsd',
  'openbsd',
  'solaris',
]);
const architectures: ReadonlySet<string> = new Set([
  '386',
  'amd64',
  'arm',
  'arm64',
  'loong64',
  'mips',
  'mips64',
  'mips64le',
  'mipsle',
  'ppc64',
  'ppc64le',
  'riscv64',
  's390x',
]);

/**
 * The platform in a User-Agent like `docker/1.9.1 go/go1.4.2 git-commit/a34a1d5 kernel/4.1.0 os/linux arch/arm`.
 * @returns undefined for a platform that does not exist: a client that invents a thousand platforms would get, and have
 *   cached, a thousand conversions of one index.
 */
function platformOf(userAgent: string): Platform | undefined {
  const os = /(?:^|\s)os\/([a-z0-9]+)/.exec(userAgent)?.[1] ?? '';
  const architecture = /(?:^|\s)arch\/([a-z0-9]+)/.exec(userAgent)?.[1] ?? '';
  return systems.has(os) && architectures.has(architecture) ? { os, architecture } : undefined;
}
