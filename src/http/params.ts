import type { Context } from 'hono';
import { type Digest, isDigest, isOfUnknownAlgorithm } from '../../converters/digest.ts';
import {
  parseReference,
  parseRepositoryName,
  type Reference,
  type RepositoryName,
} from '../../converters/reference.ts';
import { ownText } from '../cache/memory-bytes.ts';
import { RegistryError } from '../errors.ts';
import type { Env } from './env.ts';
import { isUploadName } from './location.ts';
import { quoted } from './quoted.ts';

/**
 * The paths that may end with a slash: the ping, the begin of an upload, the list of tags (docker-registry 2.8.2
 * redirects a client to the path without the slash), and the login of API v1.
 */
const mayEndWithSlash =
  /^\/(?:|v2\/|v2\/.+\/(?:blobs\/uploads|tags\/list)\/|(?:v1|v1ctx\/[^/]+\/v1)\/users\/)$/;

/**
 * The path that is routed. Docker 1.8 and 1.9 ask a mirror for `//v2/`; the routes of the APIs know one slash. The
 * router ignores a slash at the end, which the APIs do not: a second one keeps such a path from every route. Escapes
 * stay: Hono decodes each parameter once.
 */
export function routedPath(request: Request): string {
  const path = pathOf(request).replace(beforeRegistryPath, '/');
  return path.endsWith('/') && !mayEndWithSlash.test(path) ? `${path}/` : path;
}

/** The slashes before the first part of a path of the registry APIs. */
const beforeRegistryPath = /^\/+(?=(?:v2|v1|v1ctx|token)(?:\/|$))/;

/** Whether a path belongs to the registry APIs or to the tokens for them. */
export function isRegistryPath(request: Request): boolean {
  return beforeRegistryPath.test(pathOf(request));
}

/** The path of a request as its URL has it, with escapes and without query. */
export function pathOf({ url }: Request): string {
  const start = url.indexOf('/', url.indexOf('//') + 2);
  return /^[^?#]*/.exec(url.slice(start))?.[0] ?? '/';
}

/** A parameter of the route's path, decoded once; "" for one that the path does not have. */
function param(context: Context<Env>, name: string): string {
  return context.req.param(name) ?? '';
}

/** A parameter that tables may remember: it does not keep the URL in memory, which may have 32 KiB. */
function ownParam(context: Context<Env>, name: string): string {
  return ownText(param(context, name));
}

/** The `:name` of a path. @throws RegistryError NAME_INVALID. */
export function nameParam(context: Context<Env>): RepositoryName {
  const text = ownParam(context, 'name');
  const name = parseRepositoryName(text);
  if (name !== undefined) return name;
  throw new RegistryError(
    'NAME_INVALID',
    `${quoted(text, 300)} is not a repository name: parts of lower-case letters and digits, joined ` +
      'by ".", "_", "__" or "-", with "/" between the parts, 255 characters in all.',
  );
}

/** The `:reference` of a path. @throws RegistryError REFERENCE_INVALID; MANIFEST_UNKNOWN for what cannot be a tag. */
export function referenceParam(context: Context<Env>): Reference {
  const text = ownParam(context, 'reference');
  const reference = parseReference(text);
  if (reference !== undefined) return reference;
  if (isOfUnknownAlgorithm(text)) throw unknownAlgorithm(text);
  throw new RegistryError(
    text.includes(':') ? 'REFERENCE_INVALID' : 'MANIFEST_UNKNOWN',
    `${quoted(text, 200)} is neither a tag nor a digest.`,
  );
}

/** The `:digest` of a path. @throws RegistryError REFERENCE_INVALID. */
export function digestParam(context: Context<Env>): Digest {
  const text = param(context, 'digest');
  if (isDigest(text)) return text;
  if (isOfUnknownAlgorithm(text)) throw unknownAlgorithm(text);
  throw new RegistryError(
    'REFERENCE_INVALID',
    `${quoted(text, 200)} is not a digest: sha256: and 64 lower-case hex digits.`,
  );
}

/** One part of the path of an extension (distribution-spec, extensions/README.md). */
const extensionPart = '[a-z0-9]+(?:[._-][a-z0-9]+)*';

/** The `:extension` of a path for the router: no part of a repository's name begins with "_". */
export const extensionPattern = `:extension{_${extensionPart}/${extensionPart}/${extensionPart}}`;

/** The `:extension` of a path, like `_oci/ext/discover`. */
export function extensionParam(context: Context<Env>): string {
  return param(context, 'extension');
}

function unknownAlgorithm(text: string): RegistryError {
  return new RegistryError(
    'REFERENCE_INVALID',
    `${quoted(text, 200)} is a digest of an algorithm that regshift does not know: it knows sha256, sha384 and sha512. ` +
      'Ask the registry itself for this content.',
  );
}

/** The `:upload` of a path, as upstream or `UploadLocations.seal` wrote it. @throws RegistryError UPLOAD_UNKNOWN. */
export function uploadParam(context: Context<Env>): string {
  const upload = param(context, 'upload');
  if (isUploadName(upload)) return upload;
  throw new RegistryError('UPLOAD_UNKNOWN', `${quoted(upload, 200)} is no upload that was begun here.`);
}
