import { parseTag, type Tag } from '../../../converters/reference.ts';
import { RegistryError } from '../../errors.ts';

/** What a path below `/v1/` asks for. */
export type V1Resource =
  | { readonly kind: 'ping' | 'users' | 'search' }
  /** Of a repository, with its name as it stands in the path. */
  | { readonly kind: 'images' | 'tags' | 'json' | 'properties'; readonly name: string }
  | { readonly kind: 'tag'; readonly name: string; readonly tag: Tag }
  | { readonly kind: 'ancestry' | 'image-json' | 'layer'; readonly id: string };

const fixed: Readonly<Record<string, V1Resource>> = {
  '/v1/_ping': { kind: 'ping' },
  '/v1/users': { kind: 'users' },
  '/v1/users/': { kind: 'users' },
  '/v1/search': { kind: 'search' },
};

/**
 * Reads a path, the context before it taken away.
 * @returns what it may ask for, the likeliest first: `team/tags/images` begins the pull of `team/tags`, or asks for the
 *   tag `images` of `team`.
 * @throws RegistryError REFERENCE_INVALID or ENDPOINT_UNKNOWN.
 */
export function parseV1Path(pathname: string): readonly [V1Resource, ...V1Resource[]] {
  const path = pathname.replace(/^\/+/, '/');
  const known = (Object.hasOwn(fixed, path) ? fixed[path] : undefined) ?? imageResource(path);
  if (known) return [known];
  const tag = tagResource(path);
  const repository = repositoryResource(path);
  if (repository) return tag ? [repository, tag] : [repository];
  if (tag) return [tag];
  throw new RegistryError(
    'ENDPOINT_UNKNOWN',
    `There is nothing at ${JSON.stringify(path.slice(0, 200))} in registry API v1.`,
  );
}

function imageResource(path: string): V1Resource | undefined {
  const [, id = '', what] = /^\/v1\/images\/([0-9a-f]{64})\/(ancestry|json|layer)$/.exec(path) ?? [];
  if (what === undefined) return undefined;
  return { kind: what === 'json' ? 'image-json' : (what as 'ancestry' | 'layer'), id };
}

function tagResource(path: string): V1Resource | undefined {
  const [, name, text] = /^\/v1\/repositories\/(.+)\/tags\/([^/]+)$/.exec(path) ?? [];
  if (name === undefined || text === undefined) return undefined;
  const tag = parseTag(text);
  if (tag) return { kind: 'tag', name, tag };
  throw new RegistryError('REFERENCE_INVALID', `${JSON.stringify(text.slice(0, 200))} is not a tag.`);
}

function repositoryResource(path: string): V1Resource | undefined {
  const [, name, kind] = /^\/v1\/repositories\/(.+)\/(images|tags|json|properties)$/.exec(path) ?? [];
  if (name === undefined || kind === undefined) return undefined;
  return { kind: kind as 'images' | 'tags' | 'json' | 'properties', name };
}
