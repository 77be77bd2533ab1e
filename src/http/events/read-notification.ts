import { isArtifactory, readArtifactory } from './artifactory.ts';
import { isAzure, isDockerRegistry, readAzure, readDockerRegistry } from './docker-registry.ts';
import { isEcr, readEcr } from './ecr.ts';
import { isGitea, readGitea } from './gitea.ts';
import { isHarbor, readHarbor } from './harbor.ts';
import {
  type EventKinds,
  eventKind,
  hostOfName,
  listOf,
  memberOf,
  type Notification,
  noEvent,
  readEvents,
  registryEvent,
  textOf,
} from './registry-event.ts';

/**
 * Reads the body of a notification: the formats of registries differ enough to be told apart.
 * Unknown members are ignored. A CloudEvent is binary (attributes in `Ce-*` headers, the body is its data) or structured
 * (CloudEvents 1.0, HTTP protocol binding, section 3).
 * @param body any parsed JSON. @returns undefined for a body that is none of these formats.
 */
export function readNotification(headers: Headers, body: unknown): Notification | undefined {
  const binary = headers.get('ce-type');
  if (binary !== null) return readCloudEvent(binary, body);
  if (memberOf(body, 'specversion') !== undefined) {
    return readCloudEvent(textOf(body, 'type') ?? '', memberOf(body, 'data'));
  }
  if (isGitea(headers, body)) return readGitea(body);
  if (isDockerRegistry(body)) return readDockerRegistry(body);
  if (isHarbor(body)) return readHarbor(textOf(body, 'type') ?? '', memberOf(body, 'event_data'));
  if (textOf(body, 'docker_url') !== undefined) return readQuay(body);
  if (isArtifactory(body)) return readArtifactory(body);
  if (isEcr(body)) return readEcr(body);
  if (isAzure(body)) return readAzure(body);
  return undefined;
}

/**
 * The events of a webhook of Quay: the address of the repository is in each (quay, notifications/__init__.py,
 * `build_repository_event_data`), and a push alone has `updated_tags` (endpoints/v2/manifest.py).
 */
function readQuay(body: unknown): Notification {
  const tags = listOf(body, 'updated_tags');
  if (tags.length === 0) return noEvent('quay');
  const repository = textOf(body, 'repository');
  const hosts = [hostOfName(textOf(body, 'docker_url'))];
  return readEvents('quay', tags, (tag) =>
    registryEvent('push', { repository, reference: typeof tag === 'string' ? tag : undefined, hosts }),
  );
}

function readCloudEvent(type: string, data: unknown): Notification | undefined {
  if (type.startsWith('harbor.')) return readHarbor(type, data);
  if (type.startsWith('zotregistry.')) return readZot(type, data);
  return undefined;
}

/** The types of zot's CloudEvents (zot, pkg/extensions/events/common.go). */
const zotKinds: EventKinds = {
  'zotregistry.image.updated': 'push',
  'zotregistry.image.deleted': 'delete',
};

/**
 * The event of a CloudEvent of zot.
 * @param data as events.go of the same folder writes it: `name`, `reference`, `digest`, `mediaType`, `manifest`.
 */
function readZot(type: string, data: unknown): Notification {
  const kind = eventKind(zotKinds, type);
  if (kind === undefined) return noEvent('zot');
  const [repository, reference, digest] = ['name', 'reference', 'digest'].map((name) => textOf(data, name));
  return { source: 'zot', events: [registryEvent(kind, { repository, reference, digest })], left: 0 };
}
