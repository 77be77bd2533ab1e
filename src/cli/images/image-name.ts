import { type NamedImage, parseNamedImage } from '../../registry/inspection/named-image.ts';
import { UsageError } from '../usage.ts';

/** The registry, repository and reference of an image. */
export interface ImageName extends NamedImage {
  readonly registryUrl: URL;
}

/**
 * Other transports of skopeo (skopeo 1.9, `skopeo copy --help`), and URLs of files. `oci:latest`, `dir:latest` and
 * `file:latest` are names of Docker Hub, unless a path or a second colon follows, and a port makes any of them a host.
 */
const otherTransport =
  /^(?:(?:oci-archive|docker-archive|docker-daemon|containers-storage):(?!\d+\/)|(?:oci|dir|file):(?!\d+\/)(?:[./]|[^@]*[:/]))/;

/** A path of a file, also of Windows. A name of an image begins with a letter or a digit (distribution/reference). */
const path = /^(?:\.{0,2}|[a-z]:)[\\/]/i;

/** A login before the host. In a name, an "@" begins the digest, which has no slash. */
const login = /@.*\//s;

const hub = new URL('https://registry-1.docker.io');
const hubHosts = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/**
 * Parses an image name as docker pull does: the default registry is Docker Hub, the default tag is `latest`.
 * @param text may begin with `http://` or `https://`, or with skopeo's `docker://`.
 * @param plainHttp true to use http for a registry host without a scheme.
 * @throws UsageError.
 */
export function readImageName(text: string, plainHttp = false): ImageName {
  refuseLogin(text);
  const [, scheme, bare = ''] = /^(?:docker:\/\/)?(?:(https?):\/\/)?(.*)$/s.exec(text) ?? [];
  if (otherTransport.test(text) || path.test(text)) {
    throw new UsageError(
      `${JSON.stringify(text)} is not in a registry. convert and verify read files and folders, by their path alone; for the other commands, push the image to a registry by skopeo copy.`,
    );
  }
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
 * @param whole the text with the host, to name in errors; absent where a name has no host.
 * @throws UsageError.
 */
export function readNamed(text: string, whole?: string): NamedImage {
  refuseLogin(text);
  const parsed = parseNamedImage(text, whole);
  if ('problem' in parsed) throw new UsageError(parsed.problem);
  return parsed;
}

/** Logs of CI keep the messages of a command, so the error quotes nothing of the text. @throws UsageError. */
function refuseLogin(text: string): void {
  if (!login.test(text)) return;
  throw new UsageError(
    'An image name must have no login: it would end up in logs. Use docker login, or give the login by --creds, and ' +
      'that of a target by --to-creds.',
  );
}
