import { expect, it } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import type { RepositoryName } from '../../../../converters/reference.ts';
import { RegistryError } from '../../../../src/errors.ts';
import { type Uploader, uploadBlob } from '../../../../src/registry/push/upload-blob.ts';
import type { UpstreamClient, UpstreamRequest } from '../../../../src/upstream/client.ts';
import type { RequestContext } from '../../../../src/upstream/request-context.ts';

const repository = 'team/app' as RepositoryName;
const context = { credential: { kind: 'none' } } as RequestContext;
const bytes = new Uint8Array(1000);

it('closes the stream of its content where the request for it is never sent', async () => {
  const spent = new RegistryError('OVERLOADED', 'No more requests.');
  const client = {
    id: 'http://registry.test',
    async request({ method }: UpstreamRequest) {
      if (method !== 'POST') throw spent;
      const headers = { Location: '/v2/team/app/blobs/uploads/u1' };
      return {
        response: new Response(null, { status: 202, headers }),
        url: new URL('http://registry.test/'),
      };
    },
  } as unknown as UpstreamClient;
  const uploader: Uploader = { client, fixedLength: (stream) => stream };
  let cancelled: unknown;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(bytes),
    cancel: (reason) => {
      cancelled = reason;
    },
  });
  const content = { digest: digestOf(bytes), size: bytes.length, stream };
  const upload = uploadBlob(uploader, { repository, context }, content);
  await expect(upload).rejects.toBe(spent);
  expect(cancelled).toBe(spent);
});
