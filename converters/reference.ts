import { type Digest, isDigest } from './digest.ts';

/** A repository's name as the distribution spec allows it. */
export type RepositoryName = string & { readonly __brand: 'RepositoryName' };
/** A tag as the distribution spec allows it. */
export type Tag = string & { readonly __brand: 'Tag' };

/** The part of a manifest path that names one manifest of a repository. */
export type Reference =
  | { readonly kind: 'tag'; readonly tag: Tag }
  | { readonly kind: 'digest'; readonly digest: Digest };

// Grammar of <name> and <reference>: distribution-spec 1.1, "Pulling manifests". The limit of 255 characters is the
// reference implementation's; distribution reference/regexp.go counts only the name.
const component = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*';
const namePattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const maximumNameLength = 255;

export function parseRepositoryName(text: string): RepositoryName | undefined {
  return text.length <= maximumNameLength && namePattern.test(text) ? (text as RepositoryName) : undefined;
}

/**
 * Whether a tag is the name of a digest. Programs keep the referrers of a manifest under such a tag (distribution-spec
 * 1.1, "Referrers Tag Schema"), and its signatures and attestations (cosign: `sha256-<hex>.sig`); few images have one.
 */
export function isTagOfDigest(tag: Tag): boolean {
  return /^sha\d{3}-[0-9a-f]{64}/.test(tag);
}

export function parseTag(text: string): Tag | undefined {
  return tagPattern.test(text) ? (text as Tag) : undefined;
}

/** Reads a tag or a digest. Text with a colon can only be a digest. @returns `undefined` for other text. */
export function parseReference(text: string): Reference | undefined {
  if (text.includes(':')) return isDigest(text) ? { kind: 'digest', digest: text } : undefined;
  const tag = parseTag(text);
  return tag === undefined ? undefined : { kind: 'tag', tag };
}
