import {
  parseReference,
  parseRepositoryName,
  parseTag,
  type Reference,
  type RepositoryName,
  type Tag,
} from '../../../converters/reference.ts';
import { UsageError } from '../usage.ts';

/** The registry, repository and reference of an image. */
export interface ImageName {
  readonly registryUrl: URL;
  readonly name: RepositoryName;
  readonly reference: Reference;
}

const hub = new URL('https://registry-1.docker.io');
const hubHosts = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/**
 * Parses an image name as docker pull does: the default registry is Docker Hub, the default tag is `latest`.
 * @param text may begin with `http://` or `https://`.
 * @param plainHttp true to use http for a registry host without a scheme.
 * @throws UsageError.
 */
export function readImageName(text: string, plainHttp = false): ImageName {
  const [, scheme, bare = ''] = /^(?:(https?):\/\/)?(.*)$/s.exec(text) ?? [];
  const slash = bare.indexOf('/');
  const first = slash < 0 ? '' : bare.slice(0, slash);
  const hasHost = scheme !== undefined || /[.:]/.test(first) || first === 'localhost';
  if (!hasHost || hubHosts.includes(first)) {
    const onHub = hasHost ? bare.slice(slash + 1) : bare;
    return { registryUrl: hub, ...readNamed(onHub.includes('/') ? onHub : `library/${onHub}`, text) };
  }
  const protocol = scheme ?? (plainHttp || isThisMachine(first) ? 'http' : 'https');
  const address = `${protocol}://${first}`;
  if (!URL.canParse(address)) throw new UsageError(`${JSON.stringify(text)} has no valid registry host.`);
  return { registryUrl: new URL(address), ...readNamed(bare.slice(slash + 1), text) };
}

/** Tells whether a host is this machine; like Docker, regshift then uses plain HTTP. */
function isThisMachine(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host);
}

/**
 * Parses a repository with a tag or digest: `team/app:1.0`, `team/app@sha256:…`.
 * @param shown the text to name in errors.
 * @throws UsageError.
 */
export function readNamed(
  text: string,
  shown = text,
): { readonly name: RepositoryName; readonly reference: Reference } {
  const [, path = '', tag, digest] = /^([^@]*?)(?::([^:/@]*))?(?:@(.*))?$/s.exec(text) ?? [];
  const name = parseRepositoryName(path);
  if (name === undefined) {
    throw new UsageError(
      `${JSON.stringify(shown)} is not an image name. It must be host/name:tag or host/name@sha256:…, in lower case.`,
    );
  }
  // With a digest, the tag has no effect.
  if (digest === undefined) return { name, reference: { kind: 'tag', tag: tagOf(tag ?? 'latest', shown) } };
  const reference = parseReference(digest);
  if (reference?.kind === 'digest') return { name, reference };
  throw new UsageError(
    `${JSON.stringify(shown)} has no valid digest after the @. It must be sha256: and 64 lower-case hex digits.`,
  );
}

function tagOf(text: string, shown: string): Tag {
  const tag = parseTag(text);
  if (tag !== undefined) return tag;
  throw new UsageError(
    `${JSON.stringify(shown)} has no valid tag after the colon. A tag has letters, digits, ".", "_" and "-".`,
  );
}
