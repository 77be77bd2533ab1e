import { expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const docker = manifestRequestHeaders['Docker 20.10'];

const empty = { size: 2, digest: digestOf(new TextEncoder().encode('{}')) };

/** A registry whose one manifest has some bytes. It counts the bodies that are read to their end. */
function registryOf(padding: number) {
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...empty },
    layers: [],
    annotations: { padding: 'x'.repeat(padding) },
  });
  const manifest = new TextEncoder().encode(text);
  const headers = {
    'Content-Type': mediaTypes.ociManifest,
    'Content-Length': String(manifest.length),
    'Docker-Content-Digest': digestOf(manifest),
  };
  const counts = { read: 0 };
  const body = () => {
    const halves = [manifest.subarray(0, 1000), manifest.subarray(1000)];
    return new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const next = halves.shift();
          if (next) return controller.enqueue(next);
          counts.read += 1;
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  };
  const { fetch } = scriptedUpstream((_, { pathname }) =>
    pathname.startsWith('/v2/team/app/manifests/') ? new Response(body(), { headers }) : undefined,
  );
  return { fetch, counts, text, digest: digestOf(manifest) };
}

const loginsOf = (count: number) =>
  Array.from({ length: count }, (_, at) => ['Authorization', `Basic ${btoa(`user${at}:p`)}`] as const);

it.each(['tag', 'digest'])('a large manifest is read once for the logins that ask by %s', async (by) => {
  const { fetch, counts, text, digest } = registryOf(100_000);
  const app = testApp({}, fetch);
  const path = `/v2/team/app/manifests/${by === 'tag' ? 'latest' : digest}`;
  const logins = loginsOf(20);
  const [first, ...others] = logins;
  if (first === undefined) throw new Error('no login');
  expect((await app.get(path, [...docker, first])).text()).toBe(text);
  const before = counts.read;
  const answers = await Promise.all(others.map((login) => app.get(path, [...docker, login])));
  expect(new Set(answers.map((each) => each.text()))).toEqual(new Set([text]));
  expect(counts.read).toBe(before);
});

it('logins that ask for a large manifest at once share its bodies', async () => {
  const { fetch, counts, text } = registryOf(100_000);
  const app = testApp({}, fetch);
  const [first = ['', ''], ...others] = loginsOf(20);
  // The first answer tells that the registry counts no pulls.
  await app.get('/v2/sample/oci/manifests/latest', docker);
  await app.head('/v2/sample/schema2/manifests/latest', [...docker, first]);
  const answers = await Promise.all(
    others.map((login) => app.get('/v2/team/app/manifests/latest', [...docker, login])),
  );
  expect(new Set(answers.map((each) => each.text()))).toEqual(new Set([text]));
  expect(counts.read).toBeLessThanOrEqual(2);
});

it('a small manifest is read, so that its connection stays open', async () => {
  const { fetch, counts } = registryOf(10_000);
  const app = testApp({}, fetch);
  for (const login of loginsOf(3)) await app.get('/v2/team/app/manifests/latest', [...docker, login]);
  expect(counts.read).toBe(3);
});
