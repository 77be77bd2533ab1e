import { type Digest, isDigest } from '../../../converters/digest.ts';
import {
  parseReference,
  parseRepositoryName,
  type RepositoryName,
  type Tag,
} from '../../../converters/reference.ts';

/** A change in a registry that its notification reports. */
export interface RegistryEvent {
  readonly kind: 'push' | 'delete';
  /** The repository by its name upstream. */
  readonly repository: RepositoryName;
  /** The part of that name which does not depend on the address of the registry; absent for the whole name. */
  readonly image?: RepositoryName;
  /** The tag that was pushed; absent for a manifest that was pushed by its digest, and for a deletion. */
  readonly tag?: Tag;
  /** The digest that was pushed; absent where the registry does not say. */
  readonly digest?: Digest;
  /** Hosts by which the registry calls itself, like `registry.example:5000`; empty where it does not say. */
  readonly hosts: readonly string[];
}

/** The registries whose notifications regshift reads. */
export type EventSource =
  | 'artifactory'
  | 'azure'
  | 'docker-registry'
  | 'ecr'
  | 'gitea'
  | 'harbor'
  | 'quay'
  | 'zot';

/** The content of one notification. */
export interface Notification {
  readonly source: EventSource;
  /** Pushes of manifests, and deletions; undefined in the place of each other event. */
  readonly events: readonly (RegistryEvent | undefined)[];
  /** Events beyond the hundredth, which are not read. */
  readonly left: number;
}

/** Events of one notification that are read: docker-registry and zot send one, Harbor and Quay one for each tag. */
const mostEvents = 100;

/** The notification of something that is no push and no deletion of a manifest. */
export function noEvent(source: EventSource): Notification {
  return { source, events: [undefined], left: 0 };
}

/** Reads the first events of a list. */
export function readEvents<T>(
  source: EventSource,
  list: readonly T[],
  read: (event: T) => RegistryEvent | undefined,
): Notification {
  return {
    source,
    events: list.slice(0, mostEvents).map(read),
    left: Math.max(0, list.length - mostEvents),
  };
}

/** Parts of an event as its registry writes them. */
interface EventParts {
  readonly repository: string | undefined;
  readonly image?: string;
  /** A tag, or a digest. */
  readonly reference?: string | undefined;
  readonly digest?: string | undefined;
  readonly hosts?: readonly (string | undefined)[];
}

/** @returns undefined for a name that no repository can have. */
export function registryEvent(
  kind: RegistryEvent['kind'],
  { repository, image: part = '', reference, digest, hosts = [] }: EventParts,
): RegistryEvent | undefined {
  const name = parseRepositoryName(repository ?? '');
  if (name === undefined) return undefined;
  const image = parseRepositoryName(part);
  const parsed = kind === 'push' && reference !== undefined ? parseReference(reference) : undefined;
  const named = hosts.flatMap((host) => (host ? [host.toLowerCase()] : []));
  return {
    kind,
    repository: name,
    ...(image === undefined ? {} : { image }),
    ...(parsed?.kind === 'tag' ? { tag: parsed.tag } : {}),
    ...(isDigest(digest) ? { digest } : {}),
    hosts: [...new Set(named)],
  };
}

/** A member of parsed JSON, by the names on the way to it; undefined where there is none. */
export function memberOf(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

/** A text in parsed JSON; undefined for any other value. */
export function textOf(value: unknown, ...path: readonly string[]): string | undefined {
  const found = memberOf(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** The host of `harbor.example/library/busybox:1.0`, with or without a scheme. */
export function hostOfName(name: string | undefined): string | undefined {
  return /^(?:[a-z]+:\/\/)?([\w.:[\]-]+)\//i.exec(name ?? '')?.[1];
}

/** The host of `https://registry.example:5000`, or of an address below it. */
export function hostOfUrl(url: string | undefined): string | undefined {
  return url === undefined ? undefined : URL.parse(url)?.host;
}

/** The meanings of the names of a registry's events. Events of other names are neither pushes nor deletions. */
export type EventKinds = Readonly<Record<string, RegistryEvent['kind']>>;

export function eventKind(kinds: EventKinds, name: string | undefined): RegistryEvent['kind'] | undefined {
  return name !== undefined && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

/** A list in parsed JSON; empty for any other value. */
export function listOf(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = memberOf(value, ...path);
  return Array.isArray(found) ? found : [];
}
