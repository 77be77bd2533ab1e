import { mediaTypes } from '../../converters/media-types.ts';
import type { Platform } from '../../converters/platform.ts';
import { containersImage } from './client-rows.ts';
import { compareVersions, readVersion, type Version } from './version.ts';

/** A group of client versions that send the same headers, represented by one of them. */
export interface KnownClient {
  /** A client of the group, like `docker-1.13`. `knownClientById` finds the group by its other versions too. */
  readonly id: string;
  readonly name: string;
  readonly program: string;
  /** The first version that sends these headers. */
  readonly from: Version;
  readonly userAgent: string;
  /** The lines of `Accept` in a request for a tag. */
  readonly accept: readonly string[];
}

const { schema1, schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

const docker110 = [schema2, dockerList, schema1Signed, 'application/json'];
/** distribution/oci.go of moby (pull request 37359) registers the types of OCI from 18.06 on. */
const docker1806 = [...docker110, ociManifest, ociIndex];
const containerd = [schema2, dockerList, ociManifest, ociIndex, '*/*'];
const skopeo = [...docker1806, schema1];
/** pkg/v1/remote/descriptor.go of go-containerregistry: one line, and schema 1 although it is refused. */
const crane = [[schema1, schema1Signed, ociIndex, dockerList, ociManifest, schema2].join(',')];
/** pkg/registry/digest/digest.go of Watchtower: no OCI manifest. */
const watchtower = [schema2, dockerList, schema1, ociIndex];
const dockerStore = 'docker/28.3.3 containerd-client/1.7.27+unknown storage-driver/overlayfs';

/** The groups, with headers recorded on the wire. client-rows.ts has the facts that `Accept` does not express. */
export const knownClients: readonly KnownClient[] = [
  of('docker-1.5', 'Docker ≤ 1.5', [1, 0, 0], 'docker/1.5.0', []),
  of('docker-1.9', 'Docker 1.6–1.9', [1, 6, 0], 'docker/1.9.1', []),
  of('docker-1.13', 'Docker 1.10–18.03', [1, 10, 0], 'docker/1.13.1', docker110),
  of('docker-18.09', 'Docker 18.06–18.09', [18, 6, 0], 'docker/18.09.9', docker1806),
  of('docker-19.03.3', 'Docker 19.03.0–4', [19, 3, 0], 'docker/19.03.3', docker1806),
  of('docker-20.10', 'Docker 19.03.5–22', [19, 3, 5], 'docker/20.10.24', docker1806),
  of('docker-24', 'Docker 23–25', [23, 0, 0], 'docker/24.0.7', docker1806),
  of('docker-28', 'Docker ≥ 26', [26, 0, 0], 'docker/28.3.0', docker1806),
  of('containerd-1.6', 'containerd 1.5–1.7', [1, 5, 0], 'containerd/1.6.20', containerd),
  of('containerd-2', 'containerd ≥ 2', [2, 0, 0], 'containerd/2.1.0', containerd),
  of('dockerstore', "Docker 26–28 with containerd's store", [26, 0, 0], dockerStore, containerd),
  of('buildkit-0.8', 'BuildKit in Docker 20.10', [0, 0, 0], 'containerd/1.6.20+unknown', containerd),
  of('buildkit-0.12', 'BuildKit ≥ 0.12', [0, 12, 0], 'buildkit/v0.12', containerd),
  of('skopeo', 'skopeo, podman', [0, 0, 0], 'skopeo/1.9.3', skopeo),
  of('crane', 'crane', [0, 0, 0], 'crane/v0.20.2 go-containerregistry/v0.20.2', crane),
  of('watchtower', 'Watchtower', [0, 0, 0], 'Watchtower/v1.7.1', watchtower),
];

function of(
  id: string,
  name: string,
  from: Version,
  userAgent: string,
  accept: readonly string[],
): KnownClient {
  return { id, name, program: id.replace(/-.*/, ''), from, userAgent, accept };
}

/** Programs that send the headers of another group, with their own names in the User-Agent where that is known. */
const sameHeaders: Readonly<Record<string, { readonly as: string; readonly userAgent?: string }>> = {
  podman: { as: 'skopeo' },
  buildah: { as: 'skopeo', userAgent: 'Buildah' },
  'cri-o': { as: 'skopeo', userAgent: 'cri-o' },
  crio: { as: 'skopeo', userAgent: 'cri-o' },
};

/** The names that `findKnownClient` takes, for messages: each group, and other programs of a group. */
export const clientNames: readonly string[] = [
  ...knownClients.map(({ id }) => id),
  ...Object.keys(sameHeaders).filter((name) => name !== 'crio'),
];

/** A version that is further ahead of the newest known group than this is a slip, like `docker-113` for `docker-1.13`. */
const majorsAhead = 10;

/** The versions of Docker went from 1.13 to 17.03. */
const majorsThatNeverWere = { program: 'docker', from: 2, to: 16 };

/**
 * Finds the group of a client. The groups of a program are in ascending order of versions.
 * @param client program and version, like `docker-17.05`, or a program, like `buildkit`, for its newest group.
 * @returns undefined for an unknown program or version.
 */
export function knownClientById(client: string): KnownClient | undefined {
  const [word, text] = splitClient(client);
  const program = sameHeaders[word]?.as ?? word;
  const ofProgram = knownClients.filter((each) => each.program === program);
  if (text === '') return ofProgram.at(-1);
  const version = readVersion(text);
  const newest = ofProgram.at(-1)?.from[0] ?? 0;
  if (version && (version[0] > newest + majorsAhead || neverWas(program, version))) return undefined;
  return version && ofProgram.findLast(({ from }) => compareVersions(version, from) >= 0);
}

function neverWas(program: string, [major]: Version): boolean {
  const { from, to } = majorsThatNeverWere;
  return program === majorsThatNeverWere.program && major >= from && major <= to;
}

/** Finds the group of a client like `knownClientById`, with the User-Agent of the named version. */
export function findKnownClient(client: string): KnownClient | undefined {
  const known = knownClientById(client);
  if (known === undefined || known.id === client) return known;
  const [word, version] = splitClient(client);
  if (version === '') return known;
  const own = sameHeaders[word]?.userAgent;
  if (own) return { ...known, userAgent: `${own}/${version}` };
  // The User-Agent of a program that embeds another one's library has the version of the library.
  const isItself = known.userAgent.startsWith(`${known.program}/`);
  return isItself && word === known.program ? { ...known, userAgent: `${known.program}/${version}` } : known;
}

/**
 * Splits `cri-o-1.34` into the program and its version, which is "" if there is none. Both are "" for other texts, like a
 * list of clients.
 */
export function splitClient(client: string): readonly [program: string, version: string] {
  // Versions of distributions have a suffix: 17.05.0-ce, 20.10.24+dfsg1.
  const pattern = /^([a-z][a-z-]*?)(?:-(\d+(?:\.\d+)*(?:[-+~]\w[\w.+~-]*)?))?$/;
  const [, program = '', version = ''] = pattern.exec(client) ?? [];
  return [program, version];
}

/** The programs in User-Agents whose names are not those of their groups. */
const programs: ReadonlyMap<string, string> = new Map([
  ...containersImage.map(({ program }) => [program, 'skopeo'] as const),
  ['go-containerregistry', 'crane'],
  ['Watchtower', 'watchtower'],
]);

const byProgram: ReadonlyMap<string, readonly KnownClient[]> = Map.groupBy(
  knownClients,
  ({ program }) => program,
);

/**
 * Finds the id of the group that a client belongs to, by the program that its User-Agent names first.
 * @param name program and version, as `Client` has it: `docker/1.13.1`.
 * @returns `other` for a program of no group.
 */
export function clientGroupOf(name: string): string {
  const [program = '', text = ''] = name.split('/', 2);
  // BuildKit in Docker 20.10 calls itself by its library (client-rows.ts).
  if (program === 'containerd' && text.endsWith('+unknown')) return 'buildkit-0.8';
  const groups = byProgram.get(programs.get(program) ?? program) ?? [];
  if (groups.length < 2) return groups[0]?.id ?? 'other';
  const version = readVersion(text);
  return (version && groups.findLast(({ from }) => compareVersions(version, from) >= 0)?.id) ?? 'other';
}

/** The headers of a request by which a client is known. */
export interface ClientHeaders {
  readonly userAgent?: string | undefined;
  /** The lines of `Accept`; empty if the client sends none. */
  readonly accept: readonly string[];
}

/** Returns the headers of a generation of clients. Only Docker's User-Agent names a platform; default: linux/amd64. */
export function headersOf(
  { program, userAgent, accept }: Pick<KnownClient, 'program' | 'userAgent' | 'accept'>,
  platform?: Platform,
) {
  const runsOn = platform ?? { os: 'linux', architecture: 'amd64' };
  const suffix = program === 'docker' ? ` os/${runsOn.os} arch/${runsOn.architecture}` : '';
  return { userAgent: `${userAgent}${suffix}`, accept };
}
