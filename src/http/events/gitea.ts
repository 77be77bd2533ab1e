import {
  type EventKinds,
  eventKind,
  hostOfName,
  memberOf,
  type Notification,
  noEvent,
  readEvents,
  registryEvent,
  textOf,
} from './registry-event.ts';

/** gitea, modules/structs/hook.go, `HookPackageAction`. */
const kinds: EventKinds = { created: 'push', deleted: 'delete' };

/**
 * A webhook of Gitea or Forgejo: both send this header (gitea, services/webhook/deliver.go; Forgejo, "Webhooks") and a
 * sender. The test of a webhook sends a push of commits.
 */
export function isGitea(headers: Headers, body: unknown): boolean {
  return headers.has('x-gitea-event') && memberOf(body, 'sender') !== undefined;
}

/** The event of a package (gitea, modules/structs/package.go). */
export function readGitea(body: unknown): Notification {
  const kind = eventKind(kinds, textOf(body, 'action'));
  if (kind === undefined || textOf(body, 'package', 'type') !== 'container') return noEvent('gitea');
  return readEvents('gitea', [memberOf(body, 'package')], (found) => {
    const [owner, name] = [textOf(found, 'owner', 'login'), textOf(found, 'name')];
    if (owner === undefined || name === undefined) return undefined;
    return registryEvent(kind, {
      // The registry has owners in lower case (routers/api/packages/container/manifest.go).
      repository: `${owner.toLowerCase()}/${name}`,
      // A tag, or the digest of a manifest that was pushed by it; the digest of a tag is missing.
      reference: textOf(found, 'version'),
      hosts: [hostOfName(textOf(found, 'html_url'))],
    });
  });
}
