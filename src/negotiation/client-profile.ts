import type { Platform } from '../../converters/platform.ts';
import { type AppliedRow, type ClientProfile, clientRows } from './client-rows.ts';
import { isInRange, readVersion, type Version } from './version.ts';

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

const fullProfile: ClientProfile = {
  namesTypes: true,
  pages: true,
  zstd: true,
  schema1: true,
  oci: true,
  apiV2: true,
  pullsByGet: true,
  namesPushedType: true,
  urlLocations: true,
  verifiesBlobs: true,
  dockerZstdType: true,
  ociTypesInSchema2: true,
  untypedSchema2: true,
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
  const [first] = /^[A-Za-z0-9_.-]+\/\S+/.exec(own) ?? [];
  const profile = profileOf(rows);
  const certain = rows.filter(({ doubtful }) => !doubtful);
  return {
    profile,
    digestProfile: certain.length === rows.length ? profile : profileOf(certain),
    platform: platformOf(own),
    name: first ?? rows[0]?.program ?? 'unknown',
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
  /** Undefined where the User-Agent has the name alone, or no number after it. */
  readonly version: Version | undefined;
}

const rowsByProgram: ReadonlyMap<string, readonly AppliedRow[]> = Map.groupBy(
  clientRows.flatMap(({ programs, ...row }) => programs.map((range): AppliedRow => ({ ...range, ...row }))),
  ({ program }) => program,
);

/** The known programs of a User-Agent: a client may name itself first, and the library that reads manifests after that. */
function programsIn(userAgent: string): readonly Program[] {
  return userAgent.split(' ').flatMap((word) => {
    const [name = '', text = ''] = word.split('/', 2);
    return rowsByProgram.has(name) ? [{ name, text, version: readVersion(text) }] : [];
  });
}

function rowsFor({ name, text, version }: Program, named: readonly Program[]): readonly AppliedRow[] {
  return (rowsByProgram.get(name) ?? []).filter((row) => {
    if (!version) return row.unversioned;
    if (row.embedded && !text.endsWith('+unknown')) return false;
    if (row.without && named.some((each) => each.name === row.without)) return false;
    return isInRange(version, row);
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
