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
  /** Follows the pages of a list. */
  readonly pages: boolean;
  /** Can pull by registry API v2. */
  readonly apiV2: boolean;
  /** Pulls blobs by GET only, so that a HEAD of a blob is part of a push. */
  readonly pullsByGet: boolean;
  /** Refuses a layer whose bytes do not match its digest. */
  readonly verifiesBlobs: boolean;
}

/** A client, as its User-Agent describes it. */
export interface Client {
  readonly profile: ClientProfile;
  /** The platform that the User-Agent names; undefined if it names none. */
  readonly platform: Platform | undefined;
  /** Program and version, for logs: "docker/1.9.1". */
  readonly name: string;
  /** The rows that apply to this version. */
  readonly rows: readonly ProfileRow[];
}

/** A capability that some versions of a program lack. */
export interface ProfileRow {
  readonly program: 'docker' | 'containerd';
  /** The first version that lacks it; undefined for all versions up to `before`. */
  readonly from?: Version;
  /** The first later version that has it; undefined if all later versions lack it. */
  readonly before?: Version;
  readonly lacks: keyof ClientProfile;
  /** The observation, and the versions that it was made with. */
  readonly evidence: string;
}

/** All that is known about clients, one row for each missing capability. */
export const clientRows: readonly ProfileRow[] = [
  {
    program: 'docker',
    before: [1, 6, 0],
    lacks: 'apiV2',
    evidence: '1.5.0 reads a schema 1 manifest, downloads every blob, fails on sha256 and only then tries v1',
  },
  {
    program: 'docker',
    before: [1, 8, 0],
    lacks: 'verifiesBlobs',
    evidence:
      'graph/pull.go of 1.6: logs "Image verification failed: checksum mismatch for …" and goes on; earlier: no digest',
  },
  {
    program: 'docker',
    from: [1, 8, 0],
    before: [1, 10, 0],
    lacks: 'pullsByGet',
    evidence: '1.8.3, 1.9.1: HEAD and then GET of every layer of a pull; 1.6, 1.7, 1.10 and later: GET alone',
  },
  {
    program: 'docker',
    before: [1, 12, 0],
    lacks: 'pages',
    evidence: '1.11: `pull --all-tags` takes the first page of tags/list for all; 1.12 follows Link',
  },
  {
    program: 'docker',
    from: [19, 3, 0],
    before: [19, 3, 5],
    lacks: 'oci',
    evidence: 'lists OCI types and parses them as schema 2: "mediaType in manifest should be …"',
  },
  {
    program: 'docker',
    before: [23, 0, 0],
    lacks: 'zstd',
    evidence: '20.10: "archive/tar: invalid tar header" on a zstd layer',
  },
  {
    program: 'containerd',
    before: [1, 5, 0],
    lacks: 'zstd',
    evidence: 'containerd 1.5.0 release notes: zstd support added',
  },
  {
    program: 'docker',
    from: [26, 0, 0],
    lacks: 'schema1',
    evidence: 'refused by default from 26.0, removed in 28.2',
  },
  {
    program: 'containerd',
    from: [2, 0, 0],
    lacks: 'schema1',
    evidence: 'refused by default from 2.0, removed in 2.1',
  },
];

const fullProfile: ClientProfile = {
  pages: true,
  zstd: true,
  schema1: true,
  oci: true,
  apiV2: true,
  pullsByGet: true,
  verifiesBlobs: true,
};

/**
 * Describes a client by its User-Agent. An unknown client lacks nothing.
 * @param userAgent the header as sent. Docker from 1.13 on quotes another program inside `UpstreamClient(…)`.
 */
export function describeClient(userAgent: string | undefined): Client {
  const own = (userAgent ?? '').slice(0, 1024).split('UpstreamClient(', 1)[0] ?? '';
  const [, program = '', version = ''] = /^([A-Za-z0-9_.-]+)\/(\S+)/.exec(own) ?? [];
  const parsed = readVersion(version);
  const rows = clientRows.filter((row) => parsed && row.program === program && covers(row, parsed));
  const lacking = Object.fromEntries(rows.map((row) => [row.lacks, false]));
  return {
    profile: { ...fullProfile, ...lacking },
    platform: platformOf(own),
    name: program ? `${program}/${version}` : 'unknown',
    rows,
  };
}

function covers({ from, before }: ProfileRow, version: Version): boolean {
  return (!from || compareVersions(version, from) >= 0) && (!before || compareVersions(version, before) < 0);
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
