import type { Platform } from '../../converters/platform.ts';
import { compareVersions, readVersion, type Version } from './version.ts';

/** What `Accept` cannot say of a client. */
export interface ClientProfile {
  /** Unpacks zstd layers. */
  readonly zstd: boolean;
  /** Reads schema 1 where `Accept` names it, or names nothing. */
  readonly schema1: boolean;
  /** Reads OCI manifests and indexes where `Accept` names them. */
  readonly oci: boolean;
  /** Reads a list page by page. */
  readonly pages: boolean;
  /** Can pull by registry API v2 at all. */
  readonly apiV2: boolean;
  /** Pulls blobs by GET alone: a HEAD of a blob is part of a push. */
  readonly pullsByGet: boolean;
}

export interface Client {
  readonly profile: ClientProfile;
  /** From the User-Agent, where it says. */
  readonly platform: Platform | undefined;
  /** Program and version, for logs: "docker/1.9.1". */
  readonly name: string;
  /** What is known of this version. */
  readonly rows: readonly ProfileRow[];
}

export interface ProfileRow {
  readonly program: 'docker' | 'containerd';
  /** First version that the row is about. */
  readonly from?: Version;
  /** First version that it is no longer about. */
  readonly before?: Version;
  readonly lacks: keyof ClientProfile;
  /** What was seen, where. */
  readonly evidence: string;
}

/** Client knowledge as a table; adding a client is a row. */
export const clientRows: readonly ProfileRow[] = [
  {
    program: 'docker',
    before: [1, 6, 0],
    lacks: 'apiV2',
    evidence: '1.5.0 reads a schema 1 manifest, downloads every blob, fails on sha256 and only then tries v1',
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

const everything: ClientProfile = {
  pages: true,
  zstd: true,
  schema1: true,
  oci: true,
  apiV2: true,
  pullsByGet: true,
};

/** @param userAgent as sent; from Docker 1.13 on it quotes another program inside `UpstreamClient(…)`. */
export function describeClient(userAgent: string | undefined): Client {
  const own = (userAgent ?? '').slice(0, 1024).split('UpstreamClient(', 1)[0] ?? '';
  const [, program = '', version = ''] = /^([A-Za-z0-9_.-]+)\/(\S+)/.exec(own) ?? [];
  const parsed = readVersion(version);
  const rows = clientRows.filter((row) => parsed && row.program === program && covers(row, parsed));
  const lacking = Object.fromEntries(rows.map((row) => [row.lacks, false]));
  return {
    profile: { ...everything, ...lacking },
    platform: platformOf(own),
    name: program ? `${program}/${version}` : 'unknown',
    rows,
  };
}

function covers({ from, before }: ProfileRow, version: Version): boolean {
  return (!from || compareVersions(version, from) >= 0) && (!before || compareVersions(version, before) < 0);
}

/** `docker/1.9.1 go/go1.4.2 git-commit/a34a1d5 kernel/4.1.0 os/linux arch/arm` */
function platformOf(userAgent: string): Platform | undefined {
  const os = /(?:^|\s)os\/([a-z0-9]+)/.exec(userAgent)?.[1];
  const architecture = /(?:^|\s)arch\/([a-z0-9]+)/.exec(userAgent)?.[1];
  return os && architecture ? { os, architecture } : undefined;
}
