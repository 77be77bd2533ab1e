import { describe, expect, it } from 'vitest';
import { emptyLayer } from '../../../../converters/formats/schema1/empty-layer.ts';
import type { RepositoryName } from '../../../../converters/reference.ts';
import { RegistryError } from '../../../../src/errors.ts';
import type { DerivedContent } from '../../../../src/registry/push/derived-content.ts';
import {
  type Push,
  type UploadMissingOptions,
  uploadMissing,
} from '../../../../src/registry/push/upload-missing.ts';

const repository = 'team/app' as RepositoryName;
const context = { signal: undefined } as Push['context'];
const content: DerivedContent = {
  blobs: [{ digest: emptyLayer.digest, recipe: 'empty layer' }],
  manifests: [],
};

/** The upload to a registry whose every response is an error. */
function uploadWhere(error: Error): Promise<unknown> {
  const client = { id: 'http://registry.test', request: () => Promise.reject(error) };
  return uploadMissing(
    { client } as unknown as UploadMissingOptions,
    { repository, context, isRefused: false },
    content,
  );
}

describe('content that the registry may lack', () => {
  it('is not uploaded where an error does not say whether it is missing', async () => {
    const error = new RegistryError('UPSTREAM_TIMEOUT', 'The registry takes too long.');
    expect(await uploadWhere(error)).toEqual([]);
  });

  it('ends the push with the reason of a client that has left', async () => {
    const left = new DOMException('The client has left.', 'AbortError');
    await expect(uploadWhere(left)).rejects.toBe(left);
  });
});
