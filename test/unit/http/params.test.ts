import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../../src/errors.ts';
import { parsePath } from '../../../src/http/params.ts';

const hex = 'a'.repeat(64);
const digest = `sha256:${hex}`;

describe('a path that asks for something', () => {
  it.each([
    ['/v2', { kind: 'ping' }],
    ['/v2/', { kind: 'ping' }],
    ['//v2/', { kind: 'ping' }],
    ['/v2/a/manifests/latest', { kind: 'manifest', name: 'a', reference: { kind: 'tag', tag: 'latest' } }],
    ['//v2/a/manifests/1.0', { kind: 'manifest', name: 'a', reference: { kind: 'tag', tag: '1.0' } }],
    [
      `/v2/a/b/c/manifests/${digest}`,
      { kind: 'manifest', name: 'a/b/c', reference: { kind: 'digest', digest } },
    ],
    [
      `/v2/a/manifests/sha256%3A${hex}`,
      { kind: 'manifest', name: 'a', reference: { kind: 'digest', digest } },
    ],
    [
      `/v2/a/manifests/sha256%3a${hex}`,
      { kind: 'manifest', name: 'a', reference: { kind: 'digest', digest } },
    ],
    [`/v2/a/blobs/${digest}`, { kind: 'blob', name: 'a', digest }],
    [
      `/v2/a/blobs/sha512:${'b'.repeat(128)}`,
      { kind: 'blob', name: 'a', digest: `sha512:${'b'.repeat(128)}` },
    ],
    ['/v2/a/tags/list', { kind: 'tags', name: 'a' }],
    // A name may hold the words that divide a path.
    [
      '/v2/manifests/manifests/x',
      { kind: 'manifest', name: 'manifests', reference: { kind: 'tag', tag: 'x' } },
    ],
    ['/v2/a/tags/list/tags/list', { kind: 'tags', name: 'a/tags/list' }],
    [
      '/v2/a/blobs/b/manifests/x',
      { kind: 'manifest', name: 'a/blobs/b', reference: { kind: 'tag', tag: 'x' } },
    ],
    ['/v2/a/b/blobs/uploads/', { kind: 'uploads', name: 'a/b' }],
    ['/v2/a/blobs/uploads', { kind: 'uploads', name: 'a' }],
    ['/v2/a/blobs/uploads/0b5c-1_2.3~=', { kind: 'upload', name: 'a', upload: '0b5c-1_2.3~=' }],
    [`/v2/a/referrers/${digest}`, { kind: 'referrers', name: 'a', digest }],
    ['/v2/_catalog', { kind: 'catalog' }],
    ['/v2/a/blobs/uploads/tags/list', { kind: 'tags', name: 'a/blobs/uploads' }],
  ])('%s', (path, resource) => {
    expect(parsePath(path)).toEqual(resource);
  });
});

describe('a path that asks for nothing', () => {
  it.each([
    ['', 'ENDPOINT_UNKNOWN', /nothing at ""/],
    ['/', 'ENDPOINT_UNKNOWN', /nothing at "\/"/],
    ['/v2x/', 'ENDPOINT_UNKNOWN', /nothing at/],
    ['/v2/a', 'ENDPOINT_UNKNOWN', /nothing at/],
    ['/v2/manifests/latest', 'ENDPOINT_UNKNOWN', /nothing at/],
    ['/v2/a/manifests/', 'ENDPOINT_UNKNOWN', /nothing at/],
    ['/v2/a/tags/other', 'ENDPOINT_UNKNOWN', /nothing at/],
    ['/v2/a/blobs/uploads/%2e%2e%2fb', 'UPLOAD_UNKNOWN', /is no upload that was begun here/],
    ['/v2/a/blobs/uploads/u/more', 'ENDPOINT_UNKNOWN', /nothing at/],
    ['/v2/A/blobs/uploads/', 'NAME_INVALID', /"A" is not a repository name/],
    ['/v2/a/referrers/latest', 'REFERENCE_INVALID', /"latest" is not a digest/],
    ['/v2/A/manifests/latest', 'NAME_INVALID', /"A" is not a repository name: parts of lower-case/],
    ['/v2/a/../b/tags/list', 'NAME_INVALID', /"a\/\.\.\/b" is not a repository name/],
    ['/v2/a%2fb/tags/list', 'NAME_INVALID', /"a%2fb" is not/],
    [`/v2/${'a/'.repeat(128)}a/tags/list`, 'NAME_INVALID', /255 characters/],
    ['/v2/a/manifests/-x', 'MANIFEST_UNKNOWN', /"-x" is neither a tag nor a digest/],
    ['/v2/a/manifests/sha256:12', 'REFERENCE_INVALID', /"sha256:12" is neither a tag nor a digest/],
    ['/v2/a/blobs/sha256:12', 'REFERENCE_INVALID', /"sha256:12" is not a digest: sha256: and 64/],
    ['/v2/a/blobs/latest', 'REFERENCE_INVALID', /"latest" is not a digest/],
  ])('%s: %s', (path, code, message) => {
    const parse = () => parsePath(path);
    expect(parse).toThrow(RegistryError);
    expect(parse).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  it('is quoted in part only', () => {
    expect(() => parsePath(`/${'x'.repeat(5000)}`)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{0,260}$/) }),
    );
  });
});
