import { type Digest, isDigest } from './digest.ts';

/** A repository's name as the distribution spec allows it. */
export type RepositoryName = string & { readonly __brand: 'RepositoryName' };
export type Tag = string & { readonly __brand: 'Tag' };

export type Reference =
  | { readonly kind: 'tag'; readonly tag: Tag }
  | { readonly kind: 'digest'; readonly digest: Digest };

// distribution-spec 1.1, "Pulling manifests": <name> and <reference>; the limit of 255 is the reference
// implementation's (distribution reference/regexp.go counts the name alone).
const component = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*';
const namePattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const maximumNameLength = 255;

export function parseRepositoryName(text: string): RepositoryName | undefined {
  return text.length <= maximumNameLength && namePattern.test(text) ? (text as RepositoryName) : undefined;
}

export function parseTag(text: string): Tag | undefined {
  return tagPattern.test(text) ? (text as Tag) : undefined;
}

/** A tag or a digest, or `undefined` when the text is neither. A text with a colon can only be a digest. */
export function parseReference(text: string): Reference | undefined {
  if (text.includes(':')) return isDigest(text) ? { kind: 'digest', digest: text } : undefined;
  const tag = parseTag(text);
  return tag === undefined ? undefined : { kind: 'tag', tag };
}
