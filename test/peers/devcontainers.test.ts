import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Devcontainer, devcontainer } from '../support/npm-clients/devcontainer.ts';
import { requirePackages } from '../support/npm-packages.ts';
import { requirePeers } from '../support/programs.ts';
import { onBothSides, type SideBySide, startSideBySide } from '../support/side-by-side.ts';

const samples = ['schema1', 'schema2', 'list', 'oci', 'oci-zstd', 'index', 'index-zstd'];

/** The CLI takes an address without TLS only by this name. */
const hostOf = (url: string) => `localhost:${new URL(url).port}`;

describe.skipIf(requirePeers('docker-registry') ?? requirePackages('@devcontainers/cli'))(
  'the Dev Containers CLI',
  () => {
    let home: string;
    let sides: SideBySide;
    let cli: Devcontainer;
    const feature = (url: string) => `${hostOf(url)}/shared/features/hello:1`;
    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), 'regshift-devcontainers-'));
      sides = await startSideBySide(samples.map((name) => `sample/${name}`));
      cli = await devcontainer(home);
      await cli.publish(hostOf(sides.straight), 'shared/features', '1.2.3');
    });
    afterAll(async () => {
      await sides?.stop();
      await rm(home, { recursive: true, force: true });
    });

    it('publishes a Feature, and the next version of it', async () => {
      const { straight, through } = await onBothSides(sides, async (url) => {
        const namespace = `own/at-${new URL(url).port}`;
        const versions = [];
        for (const version of ['1.2.3', '1.3.0'])
          versions.push(await cli.publish(hostOf(url), namespace, version));
        return { versions, tags: await cli.info(`${hostOf(url)}/${namespace}/hello:1`) };
      });
      const withoutDigests = (value: unknown) => JSON.stringify(value).replace(/sha256:\w+/g, 'sha256');
      expect(withoutDigests(through)).toContain('1.3.0');
      expect(withoutDigests(through)).toBe(withoutDigests(straight));
    });

    it('reads a Feature: its manifest, tags and layer', async () => {
      const { straight, through } = await onBothSides(sides, (url) => cli.info(feature(url)));
      expect(JSON.stringify(through)).toContain('1.2.3');
      expect(through).toEqual(straight);
    });

    // The CLI asks for schema 2, then for an OCI index, then for an OCI manifest by digest.
    it.each(['schema2', 'list', 'index', 'index-zstd'])(
      'reads the config of %s as from the registry',
      async (name) => {
        const { straight, through } = await onBothSides(sides, (url) =>
          cli.read(`${hostOf(url)}/sample/${name}:latest`, feature(url)),
        );
        expect(through).toHaveLength(1);
        expect(through).toEqual(straight);
      },
    );

    it.each(['schema1', 'oci', 'oci-zstd'])(
      'reads the config of %s, which it cannot read from the registry',
      async (name) => {
        const read = await cli.read(`${hostOf(sides.through)}/sample/${name}:latest`, feature(sides.through));
        expect(read).toHaveLength(1);
      },
    );
  },
);
