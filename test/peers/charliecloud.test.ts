import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate, type TestCertificate } from '../support/certificate.ts';
import { pullByCharliecloud } from '../support/charliecloud.ts';
import { rulesOf } from '../support/docs/recipes.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { pushShape } from '../support/push-shape.ts';
import { onBothSides, type SideBySide, startSecureSides } from '../support/side-by-side.ts';

const samples = ['schema1', 'schema2', 'list', 'oci', 'oci-zstd', 'index', 'index-zstd'];
const shapes = { attested: 'attestations', both: 'both compressions', nested: 'nested' };

describe.skipIf(requirePeers('docker-registry', 'openssl', 'ch-image'))('Charliecloud', () => {
  let home: string;
  let certificate: TestCertificate;
  let sides: SideBySide;
  let ruled: RunningProxy;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-charliecloud-'));
    certificate = makeCertificate(home, 'one');
    sides = await startSecureSides(
      samples.map((name) => `sample/${name}`),
      certificate,
    );
    for (const [name, shape] of Object.entries(shapes))
      await pushShape(sides.registry, `sample/${name}`, shape);
    const tls = { REGSHIFT_TLS_CERT: certificate.cert, REGSHIFT_TLS_KEY: certificate.key };
    const rules = { REGSHIFT_CLIENTS: JSON.stringify(await rulesOf('Charliecloud')) };
    ruled = await startProxy(sides.registry, { ...tls, ...rules });
  });
  afterAll(async () => {
    await ruled?.stop();
    await sides?.stop();
    await rm(home, { recursive: true, force: true });
  });

  const pull = (host: string, name: string) => pullByCharliecloud(home, `${host}/sample/${name}:latest`);
  const pullWithRule = (name: string) => pull(`127.0.0.1:${ruled.port}`, name);

  it.each(['schema2', 'list', 'oci', 'index', 'attested'])('pulls %s, straight and through', async (name) => {
    const { straight, through } = await onBothSides(sides, (url) => pull(new URL(url).host, name));
    expect(through).toEqual(straight);
    expect(await pullWithRule(name)).toEqual(straight);
  });

  it('pulls schema 1, through with the config that it lacks', async () => {
    const files = await pull(new URL(sides.through).host, 'schema1');
    expect(Object.keys(files)).toContain('hello.txt');
  });

  it.each([
    ['oci-zstd', "method gz: ReadError('not a gzip file')"],
    ['index-zstd', "method gz: ReadError('not a gzip file')"],
    ['both', 'manifest list: duplicate architecture: amd64'],
    ['nested', 'manifest lists missing a required key'],
  ])('pulls %s with the rule of the recipe; straight: %s', async (name, message) => {
    await expect(pull(new URL(sides.straight).host, name)).rejects.toThrow(message);
    expect(Object.keys(await pullWithRule(name))).toContain('etc');
  });
});
