import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { regshift } from '../support/cli.ts';
import { clientPrograms } from '../support/clients/all.ts';
import { readTree } from '../support/file-tree.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';
import { skopeoCopy } from '../support/skopeo-copy.ts';

const missing = requirePeers('docker-registry', 'skopeo', 'umoci');

/** Registry and client are independent programs: docker-registry and skopeo. */
describe.skipIf(missing)('the command line and docker-registry', () => {
  let registry: RealRegistry;
  let host: string;
  let home: string;
  beforeAll(async () => {
    registry = await startRealRegistry();
    host = new URL(registry.url).host;
    home = await mkdtemp(join(tmpdir(), 'regshift-cli-peers-'));
  });
  afterAll(async () => {
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  it.each(['oci', 'zstd', 'schema2', 'generic', 'index', 'list'])(
    'inspects and verifies real/%s',
    async (name) => {
      const inspected = await regshift(['inspect', `${host}/real/${name}`, '--json', '--read-layers']);
      expect(inspected.code).toBe(0);
      const { clients } = inspected.json<{ clients: { client: string; form: string; refused?: string }[] }>();
      expect(clients.filter(({ refused }) => refused)).toEqual([]);
      const verified = await regshift(['verify', `${host}/real/${name}`, '--json', '--layers']);
      const { checks } = verified.json<{ checks: { ok?: boolean }[] }>();
      expect(checks.every(({ ok }) => ok === true)).toBe(true);
    },
  );

  it.each(['zstd', 'oci', 'index'])(
    'skopeo pushes and pulls the converted real/%s, and the files are the same',
    async (name) => {
      const layout = join(home, name);
      await skopeoCopy(home, `docker://${host}/real/${name}:latest`, `oci:${layout}`, '--all');
      const { code, json } = await regshift([
        ...['convert', join(layout, 'blobs/sha256', await rootOf(layout)), '--from', layout],
        ...[
          '--to',
          name === 'index' ? 'list' : 'schema2',
          '--out',
          join(home, `${name}-converted/`),
          '--json',
        ],
      ]);
      expect(code).toBe(0);
      const { digest } = json<{ digest: string }>();
      const target = `real/${name}-converted`;
      const converted = `oci:${join(home, `${name}-converted`)}`;
      const options = ['--all', '--preserve-digests'];
      await skopeoCopy(home, converted, `docker://${host}/${target}:latest`, ...options);
      const answer = await fetch(`${registry.url}/v2/${target}/manifests/${digest}`, {
        headers: { accept: '*/*' },
      });
      expect(answer.status).toBe(200);
      const client = await clientPrograms.find((each) => each.name === 'skopeo')?.start();
      try {
        const files = await client?.pull(`${host}/${target}@${digest}`);
        expect(files && (await readTree(files))).toEqual(registry.files);
      } finally {
        await client?.stop();
      }
    },
  );

  async function rootOf(layout: string): Promise<string> {
    const index = JSON.parse(await runProgram('cat', [join(layout, 'index.json')], home)) as {
      manifests: { digest: string }[];
    };
    return index.manifests[0]?.digest.replace('sha256:', '') ?? '';
  }
});
