import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate, type TestCertificate } from '../support/certificate.ts';
import { charliecloud } from '../support/charliecloud.ts';
import { rulesOf } from '../support/docs/recipes.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { pushShape } from '../support/push-shape.ts';
import { onBothSides, type SideBySide, startSecureSides } from '../support/side-by-side.ts';

const samples = ['schema1', 'schema2', 'list', 'oci', 'oci-zstd', 'oci-no-history', 'index', 'index-zstd'];
const shapes = { attested: 'attestations', both: 'both compressions', nested: 'nested' };

describe.skipIf(requirePeers('docker-registry', 'openssl', 'ch-image', 'ch-run'))('Charliecloud', () => {
  let home: string;
  let certificate: TestCertificate;
  let sides: SideBySide;
  let ruled: RunningProxy;
  let pinned: RunningProxy;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-charliecloud-'));
    certificate = makeCertificate(home, 'one');
    const options = { relativeLocations: true };
    sides = await startSecureSides(
      samples.map((name) => `sample/${name}`),
      certificate,
      options,
    );
    for (const [name, shape] of Object.entries(shapes))
      await pushShape(sides.registry, `sample/${name}`, shape);
    const tls = { REGSHIFT_TLS_CERT: certificate.cert, REGSHIFT_TLS_KEY: certificate.key };
    const rules = { REGSHIFT_CLIENTS: JSON.stringify(await rulesOf('Charliecloud')) };
    ruled = await startProxy(sides.registry, { ...tls, ...rules });
    const schema1 = { match: { userAgent: 'python-requests/*' }, format: 'schema1' };
    pinned = await startProxy(sides.registry, { ...tls, REGSHIFT_CLIENTS: JSON.stringify(schema1) });
  });
  afterAll(async () => {
    await pinned?.stop();
    await ruled?.stop();
    await sides?.stop();
    await rm(home, { recursive: true, force: true });
  });

  const pull = async (host: string, name: string) =>
    (await charliecloud(home)).pull(`${host}/sample/${name}:latest`);
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

  it('pulls an image without history as schema 1 alone', async () => {
    const message = 'invalid config: missing history';
    await expect(pullWithRule('oci-no-history')).rejects.toThrow(message);
    const files = await pull(`127.0.0.1:${pinned.port}`, 'oci-no-history');
    expect(Object.keys(files)).toContain('hello.txt');
  });

  it('pushes, through also to a registry that answers an upload with a path', async () => {
    const copy = async (url: string) => {
      const { pull, push } = await charliecloud(home);
      const { host } = new URL(url);
      const [source, target] = [`${host}/sample/oci:latest`, `${host}/team/pushed:1.0`];
      const files = Object.keys(await pull(source));
      await push(source, target);
      return { files, pushed: Object.keys(await (await charliecloud(home)).pull(target)) };
    };
    await expect(copy(sides.straight)).rejects.toThrow("Invalid URL '/v2/team/pushed/blobs/uploads/");
    const { files, pushed } = await copy(sides.through);
    expect(pushed).toEqual(files);
  });
});
