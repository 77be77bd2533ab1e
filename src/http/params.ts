import { type Digest, isDigest } from '../../converters/digest.ts';
import {
  parseReference,
  parseRepositoryName,
  type Reference,
  type RepositoryName,
} from '../../converters/reference.ts';
import { RegistryError } from '../errors.ts';
import { isUploadName } from './location.ts';

/** What a path asks for: below `/v2/` as in distribution-spec 1.1, "Endpoints". */
export type Resource =
  | { readonly kind: 'token' }
  | { readonly kind: 'ping' }
  | { readonly kind: 'manifest'; readonly name: RepositoryName; readonly reference: Reference }
  | { readonly kind: 'blob'; readonly name: RepositoryName; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly name: RepositoryName }
  | { readonly kind: 'upload'; readonly name: RepositoryName; readonly upload: string }
  | { readonly kind: 'referrers'; readonly name: RepositoryName; readonly digest: Digest }
  | { readonly kind: 'tags'; readonly name: RepositoryName }
  | { readonly kind: 'catalog' };

export type RepositoryResource = Extract<Resource, { readonly name: RepositoryName }>;

/**
 * Reads a path. Repository names hold slashes, so the end of the path tells the resource, and what is before it is
 * the name.
 * @param pathname as sent; clients that use a mirror ask for `//v2/` (Docker 1.8 and 1.9).
 * @throws RegistryError NAME_INVALID, REFERENCE_INVALID or ENDPOINT_UNKNOWN.
 */
export function parsePath(pathname: string): Resource {
  const path = pathname.replace(/^\/+/, '/');
  if (path === '/v2' || path === '/v2/') return { kind: 'ping' };
  if (path === '/token') return { kind: 'token' };
  // distribution has it, and the specification keeps it reserved ("Endpoints"): no name begins with "_".
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const resource = uploadOf(path) ?? contentOf(path);
  if (resource) return resource;
  throw new RegistryError(
    'ENDPOINT_UNKNOWN',
    `There is nothing at ${JSON.stringify(path.slice(0, 200))} here.`,
  );
}

function contentOf(path: string): Resource | undefined {
  const [, name = '', kind, last = ''] =
    /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/.exec(path) ?? [];
  if (kind === 'manifests') return { kind: 'manifest', name: nameOf(name), reference: referenceOf(last) };
  if (kind === 'blobs') return { kind: 'blob', name: nameOf(name), digest: digestOf(last) };
  if (kind === 'referrers') return { kind: 'referrers', name: nameOf(name), digest: digestOf(last) };
  return kind === 'tags' && last === 'list' ? { kind: 'tags', name: nameOf(name) } : undefined;
}

function uploadOf(path: string): Resource | undefined {
  const [, name = '', upload = ''] = /^\/v2\/(.+)\/blobs\/uploads(?:\/([^/]*))?$/.exec(path) ?? [];
  if (name === '') return undefined;
  if (upload === '') return { kind: 'uploads', name: nameOf(name) };
  if (isUploadName(upload)) return { kind: 'upload', name: nameOf(name), upload };
  throw new RegistryError(
    'UPLOAD_UNKNOWN',
    `${JSON.stringify(upload.slice(0, 200))} is no upload that was begun here.`,
  );
}

function nameOf(text: string): RepositoryName {
  const name = parseRepositoryName(text);
  if (name !== undefined) return name;
  throw new RegistryError(
    'NAME_INVALID',
    `${JSON.stringify(text.slice(0, 300))} is not a repository name: parts of lower-case letters and digits, joined ` +
      'by ".", "_", "__" or "-", with "/" between the parts, 255 characters in all.',
  );
}

function referenceOf(text: string): Reference {
  const reference = parseReference(decoded(text));
  if (reference !== undefined) return reference;
  throw new RegistryError(
    text.includes(':') ? 'REFERENCE_INVALID' : 'MANIFEST_UNKNOWN',
    `${JSON.stringify(text.slice(0, 200))} is neither a tag nor a digest.`,
  );
}

function digestOf(text: string): Digest {
  const digest = decoded(text);
  if (isDigest(digest)) return digest;
  throw new RegistryError(
    'REFERENCE_INVALID',
    `${JSON.stringify(text.slice(0, 200))} is not a digest: sha256: and 64 lower-case hex digits.`,
  );
}

/** Some clients write the colon of a digest as `%3A`. */
function decoded(text: string): string {
  return text.replace(/%3a/gi, ':');
}
