import { describe, expect, it } from 'vitest';
import type { Fetch } from '../../src/upstream/client.ts';
import { testApp } from '../support/app.ts';
import { largeIndex } from '../support/large-index.ts';
import { manyTags } from '../support/many-tags.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream } from '../support/scripted-upstream.ts';

const docker113 = manifestRequestHeaders['Docker 1.13.1'];

/** Counts connections as Workers do: from the request until the last byte of the body, or until the body is cancelled. */
function watched(script: Script | undefined): { fetch: Fetch; most: () => number } {
  const upstream = scriptedUpstream(script);
  let open = 0;
  let most = 0;
  const counted = (body: ReadableStream<Uint8Array>) => {
    const reader = body.getReader();
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        open -= 1;
        controller.close();
      },
      cancel() {
        open -= 1;
      },
    });
  };
  return {
    most: () => most,
    fetch: async (url, init) => {
      open += 1;
      most = Math.max(most, open);
      const { body, status, headers } = await upstream.fetch(url, init);
      if (body) return new Response(counted(body as ReadableStream<Uint8Array>), { status, headers });
      open -= 1;
      return new Response(null, { status, headers });
    },
  };
}

const tags = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`v${n}`, 'sample/oci']));

/** Workers allow six connections per request; further ones wait until one of the six ends. */
describe('one request opens no more than six connections at once', () => {
  it.each([
    ['to convert an index', largeIndex('team/app', 40), 200, 'v2/team/app/manifests/latest'],
    [
      'to look for a digest',
      manyTags('team/app', tags),
      404,
      `v2/team/app/manifests/sha256:${'a'.repeat(64)}`,
    ],
    ['to tell of all tags', manyTags('team/app', tags), 200, 'v1/repositories/team/app/tags'],
    ['to read layers', undefined, 200, 'v2/sample/index-zstd/manifests/latest'],
  ])('%s', async (_, script, status, path) => {
    const { fetch, most } = watched(script);
    const response = await testApp({}, fetch).get(`/${path}`, docker113);
    expect(response.status).toBe(status);
    expect(most()).toBeLessThanOrEqual(6);
    expect(most()).toBeGreaterThan(1);
  });
});
