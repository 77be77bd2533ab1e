import {
  parseReference,
  parseRepositoryName,
  parseTag,
  type Reference,
  type RepositoryName,
  type Tag,
} from '../../../converters/reference.ts';
import { UsageError } from '../usage.ts';

/** Where an image is. */
export interface ImageName {
  readonly registryUrl: URL;
  readonly name: RepositoryName;
  readonly reference: Reference;
}

const hub = new URL('https://registry-1.docker.io');
const hubHosts = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/**
 * Reads a name as docker pull does: without a host it is on Docker Hub, without a tag it is `latest`.
 * @param text may begin with `http://` or `https://`. @throws UsageError.
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
  if (!URL.canParse(address)) throw new UsageError(`${JSON.stringify(text)} has no host that can be asked.`);
  return { registryUrl: new URL(address), ...readNamed(bare.slice(slash + 1), text) };
}

/** As Docker does, which takes no registry on the machine itself for one with TLS. */
function isThisMachine(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host);
}

/** A repository and what is wanted of it: `team/app:1.0`, `team/app@sha256:…`. @throws UsageError. */
export function readNamed(
  text: string,
  shown = text,
): { readonly name: RepositoryName; readonly reference: Reference } {
  const [, path = '', tag, digest] = /^([^@]*?)(?::([^:/@]*))?(?:@(.*))?$/s.exec(text) ?? [];
  const name = parseRepositoryName(path);
  if (name === undefined) {
    throw new UsageError(
      `${JSON.stringify(shown)} is no image: it must be host/name:tag or host/name@sha256:…, in lower-case letters.`,
    );
  }
  // A tag beside a digest is a note for people.
  if (digest === undefined) return { name, reference: { kind: 'tag', tag: tagOf(tag ?? 'latest', shown) } };
  const reference = parseReference(digest);
  if (reference?.kind === 'digest') return { name, reference };
  throw new UsageError(
    `${JSON.stringify(shown)} has no digest after the @: sha256: and 64 lower-case hex digits.`,
  );
}

function tagOf(text: string, shown: string): Tag {
  const tag = parseTag(text);
  if (tag !== undefined) return tag;
  throw new UsageError(
    `${JSON.stringify(shown)} has no tag after the colon: letters, digits, ".", "_" and "-".`,
  );
}
