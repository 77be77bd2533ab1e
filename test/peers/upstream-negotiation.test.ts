import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import type { HeaderLine } from '../support/old-clients.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { pushSample } from '../support/push.ts';
import type { RawResponse } from '../support/raw-http.ts';
import { sha256Of } from '../support/sha256.ts';
import { readSchema1 } from '../support/simulators/schema1-image.ts';
import { startSession } from '../support/simulators/session.ts';
import { habits } from '../support/upstreams/all.ts';
import { basicOf, type Upstream } from '../support/upstreams/habit.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex, generic } = mediaTypes;

const stored: Readonly<Record<string, string>> = {
  'sample/generic': generic,
  'sample/schema2': schema2,
  'sample/list': dockerList,
  'sample/oci': ociManifest,
  'sample/index': ociIndex,
};
const samples = Object.keys(stored);
const all = (type: string) => samples.map(() => type);
const asStored = Object.values(stored);

/** Accept lines, and the media type of each sample that a client gets for them. */
const rows: readonly (readonly [lines: readonly string[], given: readonly string[]])[] = [
  [[], all(schema1Signed)],
  [[''], all(schema1Signed)],
  [['application/json'], all(schema1Signed)],
  [[schema1Signed], all(schema1Signed)],
  [['*/*'], asStored],
  [['application/*'], asStored],
  [['application/json, */*;q=0.8'], asStored],
  // Beside a type with q=0, the wildcard stands for all others.
  [[`${schema2};q=0, */*`], [generic, ociManifest, ociIndex, ociManifest, ociIndex]],
  // Beside a named type a wildcard has no effect.
  [[`${schema2}, */*`], all(schema2)],
  [
    [`${ociManifest}; charset=utf-8, ${schema1Signed};q=0.5`],
    [ociManifest, ociManifest, ociManifest, ociManifest, ociManifest],
  ],
  [
    [schema2, dockerList, schema1Signed],
    [schema2, schema2, dockerList, schema2, dockerList],
  ],
  [[`${ociManifest}, ${ociIndex}`], [ociManifest, ociManifest, ociIndex, ociManifest, ociIndex]],
  [[generic], all(generic)],
];
const imageOfIndex: Readonly<Record<string, string>> = { [dockerList]: schema2, [ociIndex]: ociManifest };
const cells = rows.flatMap(([lines, given]) =>
  samples.map((sample, index) => ({ lines, sample, type: given[index] ?? '' })),
);

describe.skipIf(requirePeers('docker-registry'))('Accept', () => {
  let registry: DockerRegistry;
  /** The digests that the samples' tags name in the real registry. */
  const digests = new Map<string, string>();
  beforeAll(async () => {
    registry = await startDockerRegistry();
    for (const sample of samples) digests.set(sample, await pushSample(registry.url, sample));
  });
  afterAll(() => registry?.stop());

  describe.each(habits)('in front of $name', (habit) => {
    let upstream: Upstream;
    let proxy: RunningProxy;
    beforeAll(async () => {
      upstream = await habit.start(registry.url);
      // Requests carry a client's login, or the proxy asks anonymously: no request needs a token of the client.
      proxy = await startProxy(upstream.url, habit.login ? {} : { REGSHIFT_UPSTREAM_AUTH: 'anonymous' });
    });
    afterAll(async () => {
      await proxy?.stop();
      await upstream?.stop();
    });

    const ask = (method: string, sample: string, lines: readonly string[]) => {
      const session = startSession({ port: proxy.port, repository: sample, reference: 'latest' });
      if (habit.login) session.authorization = basicOf(habit.login);
      const headers = lines.map((line): HeaderLine => ['Accept', line]);
      return session.send(method, `/v2/${sample}/manifests/latest`, headers);
    };

    /** In front of a registry that counts pulls, an index that would be converted becomes one image. */
    const counted = cells.map(({ type, ...cell }) => {
      const one = habit.countsPulls && type !== stored[cell.sample] ? imageOfIndex[type] : undefined;
      return { ...cell, type: one ?? type };
    });

    it.each(counted)('$lines: $sample as $type', async ({ lines, sample, type }) => {
      const answer = await ask('GET', sample, lines);
      expect(answer.status, new TextDecoder().decode(answer.body)).toBe(200);
      expect(answer.header('Content-Type')).toBe(type);
      const digest = await digestOf(answer);
      expect(answer.header('Docker-Content-Digest')).toBe(digest);
      if (type === stored[sample]) expect(digest).toBe(digests.get(sample));
      const head = await ask('HEAD', sample, lines);
      for (const name of ['Content-Type', 'Content-Length', 'Docker-Content-Digest', 'ETag', 'Vary']) {
        expect([name, head.header(name)]).toEqual([name, answer.header(name)]);
      }
    });
  });
});

async function digestOf(answer: RawResponse): Promise<string> {
  const signed = answer.header('Content-Type') === schema1Signed;
  return signed ? (await readSchema1(answer, 127)).digest : sha256Of(answer.body);
}
