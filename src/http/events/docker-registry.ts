import { manifestTypes } from '../../../converters/media-types.ts';
import {
  hostOfUrl,
  listOf,
  memberOf,
  type Notification,
  type RegistryEvent,
  readEvents,
  registryEvent,
  textOf,
} from './registry-event.ts';

/** The envelope of docker-registry 2 and 3 (distribution, notifications/event.go, `Envelope`). */
export function isDockerRegistry(body: unknown): boolean {
  return Array.isArray(memberOf(body, 'events'));
}

/**
 * A webhook of Azure Container Registry: an event of docker-registry without its envelope. A ping has no target
 * (Microsoft, "Azure Container Registry webhook reference").
 */
export function isAzure(body: unknown): boolean {
  return ['id', 'timestamp', 'action'].every((name) => textOf(body, name) !== undefined);
}

export function readAzure(body: unknown): Notification {
  return readEvents('azure', [body], readEvent);
}

/** The events of an envelope. docker-registry sends each event in one of its own (notifications/http.go, `Write`). */
export function readDockerRegistry(body: unknown): Notification {
  return readEvents('docker-registry', listOf(body, 'events'), readEvent);
}

function readEvent(event: unknown): RegistryEvent | undefined {
  const repository = textOf(event, 'target', 'repository');
  const digest = textOf(event, 'target', 'digest');
  const hosts = [textOf(event, 'request', 'host'), hostOfUrl(textOf(event, 'target', 'url'))];
  switch (textOf(event, 'action')) {
    case 'push':
      // The push of a blob has the same action (notifications/bridge.go, `BlobPushed`).
      if (!manifestTypes.includes(textOf(event, 'target', 'mediaType') ?? '')) return undefined;
      return registryEvent('push', { repository, reference: textOf(event, 'target', 'tag'), digest, hosts });
    case 'delete':
    // The registry of GitLab: the old name is the target (gitlab-org/container-registry, merge request 1869).
    case 'rename':
      return registryEvent('delete', { repository, hosts });
    default:
      return undefined;
  }
}
