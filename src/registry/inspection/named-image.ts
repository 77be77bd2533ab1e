import {
  parseReference,
  parseRepositoryName,
  parseTag,
  type Reference,
  type RepositoryName,
} from '../../../converters/reference.ts';

/** A repository with a tag or digest. */
export interface NamedImage {
  readonly name: RepositoryName;
  readonly reference: Reference;
}

/**
 * Parses a repository with a tag or digest: `team/app:1.0`, `team/app@sha256:…`. The default tag is `latest`.
 * @param whole the text with the host, to name in the problem; absent where a name has no host.
 * @returns the problem as a sentence, if the text is no such name.
 */
export function parseNamedImage(text: string, whole?: string): NamedImage | { readonly problem: string } {
  const [, path = '', tag, digest] = /^([^@]*?)(?::([^:/@]*))?(?:@(.*))?$/s.exec(text) ?? [];
  const quoted = JSON.stringify(whole ?? text);
  const name = parseRepositoryName(path);
  if (name === undefined) {
    const form =
      whole === undefined
        ? 'It must be name:tag or name@sha256:…, in lower case and without a host.'
        : 'It must be host/name:tag or host/name@sha256:…, in lower case.';
    return { problem: `${quoted} is not an image name. ${form}` };
  }
  if (digest !== undefined) {
    // With a digest, the tag has no effect.
    const reference = parseReference(digest);
    if (reference?.kind === 'digest') return { name, reference };
    const form = 'It must be sha256: and 64 lower-case hex digits.';
    return { problem: `${quoted} has no valid digest after the @. ${form}` };
  }
  const parsed = parseTag(tag ?? 'latest');
  if (parsed !== undefined) return { name, reference: { kind: 'tag', tag: parsed } };
  const form = 'A tag has letters, digits, ".", "_" and "-".';
  return { problem: `${quoted} has no valid tag after the colon. ${form}` };
}
