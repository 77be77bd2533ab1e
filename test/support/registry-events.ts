/** Bodies of notifications as the registries' sources write them. */

export interface PushedManifest {
  readonly repository: string;
  readonly tag?: string;
  readonly host?: string;
  readonly mediaType?: string;
  /** The digest of the manifest; absent for one that the registry does not have. */
  readonly digest?: string;
}

const someDigest = `sha256:${'1'.repeat(64)}`;
const ociManifest = 'application/vnd.oci.image.manifest.v1+json';

/** distribution, notifications/event_test.go, `TestEventEnvelopeJSONFormat`, with the tag of event.go. */
export function dockerRegistryEvent(
  action: string,
  { repository, tag, host = 'registry.test', mediaType = ociManifest, digest = someDigest }: PushedManifest,
): object {
  const kind = mediaType === ociManifest ? 'manifests' : 'blobs';
  return {
    id: 'asdf-asdf-asdf-asdf-0',
    timestamp: '2006-01-02T15:04:05Z',
    action,
    target: {
      mediaType,
      digest,
      size: 1,
      length: 1,
      repository,
      url: `http://${host}/v2/${repository}/${kind}/${digest}`,
      ...(tag === undefined ? {} : { tag }),
    },
    request: { id: 'asdfasdf', addr: 'client.local', host, method: 'PUT', useragent: 'test/0.1' },
    actor: { name: 'test-actor' },
    source: { addr: 'hostname.local:port' },
  };
}

export interface SentNotification {
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

export function notificationOf(body: unknown, headers: Record<string, string> = {}): SentNotification {
  return { headers, body: new TextEncoder().encode(JSON.stringify(body)) };
}

export function dockerRegistryPush(pushed: PushedManifest): SentNotification {
  return notificationOf(
    { events: [dockerRegistryEvent('push', pushed)] },
    {
      'content-type': 'application/vnd.docker.distribution.events.v2+json',
    },
  );
}

/** The `EventData` of harbor, src/pkg/notifier/formats/default.go. */
function harborData({
  repository,
  digest = someDigest,
  tag = digest,
  host = 'registry.test',
}: PushedManifest): object {
  const [namespace = '', ...rest] = repository.split('/');
  const separator = tag.includes(':') ? '@' : ':';
  return {
    resources: [{ digest, tag, resource_url: `${host}/${repository}${separator}${tag}` }],
    repository: {
      date_created: 1677053165,
      name: rest.join('/'),
      namespace,
      repo_full_name: repository,
      repo_type: 'public',
    },
  };
}

/** harbor, src/pkg/notifier/formats/default.go. */
export function harborWebhook(type: string, pushed: PushedManifest): SentNotification {
  const body = { type, occur_at: 1678082303, operator: 'admin', event_data: harborData(pushed) };
  return notificationOf(body, { 'content-type': 'application/json' });
}

/** Microsoft, "Azure Container Registry webhook reference": the examples of a push and of a deletion. */
export function azureWebhook(action: string, pushed: PushedManifest): SentNotification {
  const { id, timestamp, target, request } = dockerRegistryEvent(action, pushed) as Record<string, unknown>;
  return notificationOf({ id, timestamp, action, target, request }, { 'content-type': 'application/json' });
}

/**
 * quay, notifications/__init__.py, `build_repository_event_data`.
 * @param more what an event adds, such as `updated_tags` of a push.
 */
export function quayWebhook(
  { repository, host = 'registry.test' }: PushedManifest,
  more: object,
): SentNotification {
  const [namespace = '', name = ''] = repository.split('/');
  const body = {
    repository,
    namespace,
    name,
    docker_url: `${host}/${repository}`,
    homepage: `https://${host}/repository/${repository}`,
    ...more,
  };
  return notificationOf(body, { 'content-type': 'application/json' });
}

/** harbor, src/pkg/notifier/formats/cloudevents.go. */
export function harborCloudEvent(type: string, pushed: PushedManifest): SentNotification {
  const body = {
    specversion: '1.0',
    requestid: '2eedfab8-61d3-4f3c-8ec3-8f82d1ec4c84',
    id: '4b2f89a6-548d-4c12-9993-a1f5790b97d2',
    source: '/projects/1/webhook/policies/3',
    type,
    datacontenttype: 'application/json',
    time: '2023-03-06T06:08:43Z',
    data: harborData(pushed),
    operator: 'admin',
  };
  return notificationOf(body, { 'content-type': 'application/cloudevents+json' });
}

/** zot, pkg/extensions/events/events.go, as the binary CloudEvent that test/blackbox/events_http.bats receives. */
export function zotEvent(
  type: string,
  { repository, digest = someDigest, tag = digest }: PushedManifest,
): SentNotification {
  const data = {
    name: repository,
    reference: tag,
    digest,
    mediaType: ociManifest,
    manifest: '{"schemaVersion":2}',
    actor: { name: 'alice' },
    request: { addr: '127.0.0.1', method: 'PUT', useragent: 'skopeo/1.9.3' },
  };
  return notificationOf(data, {
    'content-type': 'application/json',
    'ce-id': '1f0a6b1e-0000-4000-8000-000000000000',
    'ce-source': 'zotregistry.dev',
    'ce-specversion': '1.0',
    'ce-time': '2026-01-01T00:00:00Z',
    'ce-type': type,
  });
}

/** Amazon, "Amazon ECR events and EventBridge": the events of a push and of a deletion. */
export function ecrEvent(
  action: string,
  { repository, tag, digest = someDigest }: PushedManifest,
  more: object = {},
): SentNotification {
  const body = {
    version: '0',
    id: '13cde686-328b-6117-af20-0e5566167482',
    'detail-type': 'ECR Image Action',
    source: 'aws.ecr',
    account: '123456789012',
    time: '2019-11-16T01:54:34Z',
    region: 'us-west-2',
    resources: [],
    detail: {
      result: 'SUCCESS',
      'repository-name': repository,
      'image-digest': digest,
      'action-type': action,
      ...(tag === undefined ? {} : { 'image-tag': tag }),
    },
    ...more,
  };
  return notificationOf(body, { 'content-type': 'application/json; charset=utf-8' });
}

/**
 * JFrog, "Event Types", with the members that Artifactory sends (kargo, pull request 4498).
 * @param pushed whose repository begins with the key of Artifactory's repository.
 */
export function artifactoryWebhook(
  type: string,
  { repository, tag = '', digest = someDigest, host = 'registry.test' }: PushedManifest,
): SentNotification {
  const [key = '', ...image] = repository.split('/');
  const body = {
    domain: 'docker',
    event_type: type,
    data: {
      repo_key: key,
      path: [...image, tag, 'manifest.json'].join('/'),
      name: 'manifest.json',
      sha256: digest.replace('sha256:', ''),
      size: 527,
      image_name: image.at(-1),
      tag,
      platforms: [],
      image_type: 'docker',
    },
    subscription_key: 'test-webhook',
    jpd_origin: `https://${host}`,
    source: 'jfrog/jfrt@01jzq1wpac4msw1djjwqwh09w0',
  };
  return notificationOf(body, { 'content-type': 'application/json' });
}

/** gitea, services/webhook/notifier.go, `notifyPackage`, and modules/structs/package.go. */
export function giteaWebhook(
  action: string,
  { repository, tag = someDigest, host = 'registry.test' }: PushedManifest,
  type = 'container',
): SentNotification {
  const [owner = '', ...rest] = repository.split('/');
  const name = rest.join('/');
  const user = { id: 1, login: owner, full_name: '', username: owner };
  const body = {
    action,
    package: {
      id: 3,
      owner: user,
      repository: null,
      creator: user,
      type,
      name,
      version: tag,
      html_url: `https://${host}/${owner}/-/packages/${type}/${encodeURIComponent(name)}/${tag}`,
      created_at: '2026-01-01T00:00:00Z',
    },
    sender: user,
  };
  return notificationOf(body, { 'content-type': 'application/json', 'x-gitea-event': 'package' });
}
