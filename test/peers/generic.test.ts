import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { sampleImage } from '../../src/sample-registry/image.ts';
import { clientPrograms } from '../support/clients/all.ts';
import type { Client, ClientProgram } from '../support/clients/client.ts';
import { oldDocker } from '../support/clients/old-docker.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { type FileTree, readTree } from '../support/file-tree.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { pushSample } from '../support/push.ts';
import { manifestAnswers, manifestTypes } from '../support/relay.ts';
import { type Route, startRoute } from '../support/route.ts';

const { schema1Signed, schema2, dockerList } = mediaTypes;

const single = ['sample/generic', 'sample/generic-993', 'sample/generic-v1-target'];
const fat = ['sample/fat-generic', 'sample/fat-generic-table'];
const samples = [...single, ...fat];

describe.skipIf(requirePeers('docker-registry', 'tar'))('generic images, stored in docker-registry', () => {
  let registry: DockerRegistry;
  const routes = new Map<string, Route>();
  const files = new Map<string, FileTree>();
  beforeAll(async () => {
    registry = await startDockerRegistry();
    for (const name of samples) {
      await pushSample(registry.url, name);
      files.set(name, await filesOfSample(name));
    }
    for (const pin of ['auto', 'schema1']) {
      routes.set(pin, await startRoute(registry.url, { REGSHIFT_FORMAT: pin }));
    }
  });
  afterAll(async () => {
    for (const route of routes.values()) await route.stop();
    await registry?.stop();
  });

  const pullsAs = (
    { name, programs, start }: ClientProgram,
    pin: string,
    typesOf: (sample: string) => string[],
  ) =>
    describe.skipIf(requirePeers(...programs))(`given ${pin} to ${name}`, () => {
      let client: Client;
      beforeAll(async () => {
        client = await start();
      });
      afterAll(() => client?.stop());

      it.each(samples)('%s, by tag and by digest', async (sample) => {
        const relay = routes.get(pin)?.relay;
        if (!relay) throw new Error(`no route is pinned to ${pin}`);
        const expected = typesOf(sample)
          .map((type) => `200 ${type}`)
          .toSorted();
        relay.forget();
        expect(await readTree(await client.pull(`${relay.host}/${sample}:latest`))).toEqual(
          files.get(sample),
        );
        expect(manifestTypes(relay)).toEqual(expected);

        const told = manifestAnswers(relay)[0]?.digest;
        relay.forget();
        expect(await readTree(await client.pull(`${relay.host}/${sample}@${told}`))).toEqual(
          files.get(sample),
        );
        expect(manifestTypes(relay)).toEqual(expected);
      });
    });

  for (const program of clientPrograms) {
    pullsAs(program, 'auto', (sample) => (fat.includes(sample) ? [dockerList, schema2] : [schema2]));
    pullsAs(program, 'schema1', () => [schema1Signed]);
  }
  pullsAs(oldDocker, 'auto', () => [schema1Signed]);
});

/** The files of the layers that the sample was made of, unpacked by tar. */
async function filesOfSample(name: string): Promise<FileTree> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-sample-'));
  const root = join(home, 'root');
  await mkdir(root);
  try {
    for (const { tar } of sampleImage(name).layers) {
      await writeFile(join(home, 'layer.tar'), tar);
      await runProgram('tar', ['-C', root, '-xpf', 'layer.tar'], home);
    }
    return await readTree(root);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
