import { parseRepositoryName } from '../../converters/reference.ts';
import { createJsonPartCounter } from '../../src/http/events/json-parts.ts';
import { readNotification } from '../../src/http/events/read-notification.ts';
import { errorEntries } from '../../src/http/page/error-entries.ts';
import { findErrors } from '../../src/http/page/error-search.ts';
import { findKnownClient } from '../../src/negotiation/known-clients.ts';
import { readVersion } from '../../src/negotiation/version.ts';
import { parseNamedImage } from '../../src/registry/inspection/named-image.ts';
import { testApp } from '../support/app.ts';
import {
  artifactoryWebhook,
  dockerRegistryPush,
  ecrEvent,
  giteaWebhook,
  harborCloudEvent,
  harborWebhook,
  type SentNotification,
  zotEvent,
} from '../support/registry-events.ts';
import { generateJson, type Json, type Vocabulary } from './generate.ts';
import { hold, type TextTarget } from './text-target.ts';

const secret = 'a-secret-of-the-fuzzer';
const app = testApp({ REGSHIFT_UPSTREAM: 'sample', REGSHIFT_EVENTS_SECRET: secret, REGSHIFT_PAGE: 'status' });
const decoder = new TextDecoder();

/** Characters of a text that every page repeats whole. */
const longest = 60;

/**
 * The beginning and the end of a text between marks, up to the first character that must be escaped and from the last one
 * on. A page repeats the text whole, or one of its ends alone: the host of an image, or the rest.
 */
const ends = [/^zqa[^<>"']*[<>"']/, /[<>"'][^<>"']*zqb$/];

/** Checks that a page answers, and that a text of the viewer stays a text. */
async function viewed(query: URLSearchParams): Promise<string> {
  const { status, text, header } = await (async () => {
    const answer = await app.get(`/?${query}`, { accept: 'text/html', 'user-agent': 'Mozilla/5.0' });
    return { status: answer.status, text: answer.text(), header: answer.header('content-type') };
  })();
  hold(status < 500, 'a status below 500');
  hold(header?.startsWith('text/html') === true, 'a page');
  for (const value of query.values()) {
    const raw = ends
      .map((each) => each.exec(value)?.[0])
      .find((end) => end !== undefined && text.includes(end));
    hold(raw === undefined, `that ${JSON.stringify(raw)} is escaped`);
  }
  hold(!/\[object|native code/.test(text), 'words for people');
  return `${status} ${/<title>([^<]*)/
    .exec(text)?.[1]
    ?.replace(/zqa.*zqb/s, '')
    .slice(0, 30)}`;
}

const pushed = { repository: 'team/app', tag: '1.0', host: 'registry.test:5000' };
const notifications: readonly SentNotification[] = [
  dockerRegistryPush(pushed),
  harborWebhook('PUSH_ARTIFACT', pushed),
  harborWebhook('DELETE_ARTIFACT', pushed),
  harborCloudEvent('harbor.artifact.pushed', pushed),
  zotEvent('zotregistry.image.updated', pushed),
  artifactoryWebhook('pushed', pushed),
  ecrEvent('PUSH', pushed),
  giteaWebhook('created', pushed),
];

const eventWords: Vocabulary = {
  keys: [
    ...[
      'events',
      'id',
      'action',
      'target',
      'mediaType',
      'digest',
      'repository',
      'tag',
      'url',
      'request',
      'host',
    ],
    ...[
      'type',
      'event_data',
      'resources',
      'resource_url',
      'repo_full_name',
      'namespace',
      'name',
      'specversion',
    ],
    ...['domain', 'event_type', 'repo_key', 'path', 'image_name', 'sha256', 'jpd_origin'],
    ...['source', 'account', 'region', 'detail', 'detail-type', 'result', 'repository-name', 'action-type'],
    ...['package', 'owner', 'login', 'version', 'html_url', 'sender'],
    ...['data', 'reference', 'manifest', '__proto__', 'constructor', 'toString', '', '0', 'length'],
  ],
  scalars: [
    ...[
      null,
      true,
      0,
      -1,
      1.5,
      '',
      'push',
      'delete',
      'pull',
      'PUSH_ARTIFACT',
      'DELETE_ARTIFACT',
      'TAG_RETENTION',
    ],
    ...[
      'harbor.artifact.pushed',
      'harbor.artifact.deleted',
      'zotregistry.image.updated',
      'zotregistry.x',
      '1.0',
    ],
    ...[
      'team/app',
      '../x',
      'A',
      `sha256:${'1'.repeat(64)}`,
      'sha256:x',
      'registry.test/team/app:1.0',
      '\ud800',
    ],
    ...[
      'docker',
      'pushed',
      'aws.ecr',
      'ECR Image Action',
      'SUCCESS',
      'PUSH',
      'DELETE',
      'container',
      'created',
      '123456789012',
      'application/vnd.docker.distribution.manifest.v2+json',
      'http://a.test/v2/x',
      'constructor',
      [] as Json,
    ],
  ],
};

export const pageTargets: Readonly<Record<string, TextTarget>> = {
  page: {
    seeds: [
      'image=sample/oci',
      'image=sample/oci:1.0&platform=linux/arm64',
      'image=docker pull a.test:5000/sample/index&client=docker-1.9',
      'image=sample/oci&client=docker-1.13&pulls=2',
      'error=missing signature key',
      'error=MANIFEST_UNKNOWN',
      'machine=docker&image=sample/oci',
      'machine=podman&os=windows&address=a.test',
      'status=1',
      'image=<script>alert(1)</script>',
      'image=https://u:p@a.test/sample/oci@sha256:x',
      'image="><img src=x>&platform=\'',
    ],
    check(text) {
      const query = new URLSearchParams();
      for (const pair of text.slice(0, 5_000).split('&')) {
        const at = pair.indexOf('=');
        const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
        if (at > 0) query.append(name.toWellFormed(), `zqa${value.slice(0, longest).toWellFormed()}zqb`);
      }
      return viewed(query);
    },
  },

  pagequery: {
    seeds: [
      'image=sample/oci',
      'image=sample/index&client=docker-1.9',
      'error=x',
      'machine=docker',
      'status',
    ],
    check: (text) => viewed(new URLSearchParams(text.slice(0, 5_000).toWellFormed())),
  },

  errorsearch: {
    seeds: [
      'missing signature key',
      'Error response from daemon: manifest for a:b not found: manifest unknown',
      'unsupported schema version 2',
      'MANIFEST_UNKNOWN',
      'x509: certificate signed by unknown authority',
      '\u001b[31mdenied\u001b[0m: access',
    ],
    check(text) {
      const { entries, isExact } = findErrors(text, errorEntries);
      hold(entries.length <= 3 && (entries.length > 0 || !isExact), 'three entries at most');
      return `${isExact} ${entries[0]?.texts[0]}`;
    },
  },

  notification: {
    seeds: notifications.map(({ body }) => decoder.decode(body)),
    generate: generateJson(eventWords),
    async check(text) {
      const bytes = new TextEncoder().encode(text);
      const sent = { 'regshift-events-secret': secret, 'content-length': String(bytes.length) };
      const { status } = await app.send('POST', '/events', sent, { body: bytes });
      hold([202, 400, 413].includes(status), `a status for a registry, not ${status}`);
      let body: unknown;
      try {
        body = JSON.parse(text);
      } catch {
        hold(status === 400, 'that only JSON is a notification');
        return 'no JSON';
      }
      const values = JSON.stringify(body).match(/[,[{]/g)?.length ?? 0;
      hold(createJsonPartCounter().add(bytes) <= values + bytes.length, 'a number of parts');
      const ways = [{}, ...notifications.map(({ headers }) => headers)].map((headers) => {
        const found = readNotification(new Headers(headers), body);
        hold((found?.events.length ?? 0) <= 100, 'a hundred events at most');
        for (const event of found?.events ?? [])
          hold(
            event === undefined || parseRepositoryName(event.repository) !== undefined,
            'a name of a repository',
          );
        const [first] = found?.events ?? [];
        return `${found?.source} ${first?.kind} ${first?.tag !== undefined} ${first?.hosts.length}`;
      });
      return ways.join(';');
    },
  },

  imagename: {
    seeds: ['team/app:1.0', `team/app@sha256:${'0'.repeat(64)}`, 'team/app:1.0@sha256:x', ':', '@', 'a:b:c'],
    check(text) {
      const named = parseNamedImage(text);
      if ('problem' in named) {
        hold(/^.+[.]$/s.test(named.problem), 'a sentence');
        return 'wrong';
      }
      hold(parseRepositoryName(named.name) !== undefined, 'a name');
      return named.reference.kind;
    },
  },

  clientname: {
    seeds: [
      'docker-1.9',
      'docker',
      'cri-o-1.34',
      'buildkit-0.8',
      'containerd-2.0.0',
      'constructor',
      'to-string-1',
    ],
    check(text) {
      const client = findKnownClient(text);
      hold(client === undefined || client.userAgent.includes('/'), 'a User-Agent');
      for (const number of readVersion(text) ?? [])
        hold(Number.isInteger(number) && number >= 0 && number < 10_000, 'a number of a version');
      return client?.id;
    },
  },
};
