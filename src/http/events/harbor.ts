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
 * The names of an event in Harbor's own format, before Harbor 2.0 (harbor 1.10, src/pkg/notification/model/const.go),
 * and as a CloudEvent (harbor, src/pkg/notifier/formats/cloudevents.go).
 */
const kinds: EventKinds = {
  PUSH_ARTIFACT: 'push',
  DELETE_ARTIFACT: 'delete',
  pushImage: 'push',
  deleteImage: 'delete',
  'harbor.artifact.pushed': 'push',
  'harbor.artifact.deleted': 'delete',
};

/** Harbor's own format, its default (harbor, src/pkg/notifier/model/event.go, `Payload`). */
export function isHarbor(body: unknown): boolean {
  return textOf(body, 'type') !== undefined && memberOf(body, 'event_data') !== undefined;
}

/**
 * The events of a webhook, one for each resource.
 * @param type as in `kinds`. @param data `EventData` of the same file.
 */
export function readHarbor(type: string, data: unknown): Notification {
  const kind = eventKind(kinds, type);
  const resources = listOf(data, 'resources');
  if (kind === undefined || resources.length === 0) return noEvent('harbor');
  const repository = textOf(data, 'repository', 'repo_full_name');
  return readEvents('harbor', resources, (resource) =>
    registryEvent(kind, {
      repository,
      // The digest stands here for an artifact without a tag (event/handler/webhook/artifact/artifact.go).
      reference: textOf(resource, 'tag'),
      digest: textOf(resource, 'digest'),
      hosts: [hostOfName(textOf(resource, 'resource_url'))],
    }),
  );
}
