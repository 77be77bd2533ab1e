import {
  type EventKinds,
  eventKind,
  hostOfUrl,
  memberOf,
  type Notification,
  noEvent,
  type RegistryEvent,
  readEvents,
  registryEvent,
  textOf,
} from './registry-event.ts';

/**
 * The events of the domain `docker` (JFrog, "Event Types"). A promotion puts the tag of a repository into another one,
 * and the event names one of the two.
 */
const kinds: EventKinds = {
  pushed: 'push',
  promoted: 'push',
  deleted: 'delete',
};

/** A predefined webhook of JFrog Artifactory: its envelope is the same for all domains (JFrog, "Event Types"). */
export function isArtifactory(body: unknown): boolean {
  const hasNames = ['domain', 'event_type'].every((name) => textOf(body, name) !== undefined);
  return hasNames && memberOf(body, 'data') !== undefined;
}

export function readArtifactory(body: unknown): Notification {
  const kind = eventKind(kinds, textOf(body, 'event_type'));
  if (kind === undefined || textOf(body, 'domain') !== 'docker') return noEvent('artifactory');
  const host = hostOfUrl(textOf(body, 'jpd_origin'));
  return readEvents('artifactory', [memberOf(body, 'data')], (data) => readTag(kind, data, host));
}

function readTag(
  kind: RegistryEvent['kind'],
  data: unknown,
  host: string | undefined,
): RegistryEvent | undefined {
  const image = imageOf(data);
  const key = textOf(data, 'repo_key');
  if (image === undefined || key === undefined) return undefined;
  return registryEvent(kind, {
    // Clients have the key in lower case, or another name in its place (`?repository=`).
    repository: `${key.toLowerCase()}/${image}`,
    image,
    reference: textOf(data, 'tag'),
    // The hash of the manifest's file.
    digest: `sha256:${textOf(data, 'sha256')}`,
    hosts: [host],
  });
}

/**
 * The name of an image within its repository. Its manifest is at `<image>/<tag>/manifest.json`, or
 * `list.manifest.json`; `image_name` may be the last part of the image alone (kargo, pull request 4498, has the event of
 * `foo/bar/busybox`).
 */
function imageOf(data: unknown): string | undefined {
  const path = textOf(data, 'path') ?? '';
  const end = `/${textOf(data, 'tag')}/${textOf(data, 'name')}`;
  return path.endsWith(end) ? path.slice(0, -end.length) : textOf(data, 'image_name');
}
