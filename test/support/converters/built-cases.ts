import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDockerRegistry } from '../docker-registry.ts';
import { runProgram } from '../programs.ts';
import { buildImage } from '../real-image.ts';
import { caseFromRegistry, type RegistryCase } from './registry-case.ts';
import type { StoredCase } from './stored-case.ts';

/** Images built by buildah, umoci and skopeo, and read back from a real docker-registry. */
export async function builtCases(): Promise<StoredCase[]> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-built-'));
  const registry = await startDockerRegistry();
  try {
    const host = `127.0.0.1:${registry.port}`;
    const built = [...(await umociAndSkopeo(home, host)), ...(await buildah(home, host))];
    const cases: StoredCase[] = [];
    for (const each of built) cases.push(await caseFromRegistry(registry.url, each));
    const zstd = cases.filter(({ name }) => name.endsWith('zstd'));
    return [...cases, ...zstd.map((each) => ({ ...each, name: `${each.name}-unpacked`, unpackZstd: true }))];
  } finally {
    await registry.stop();
    await rm(home, { recursive: true, force: true });
  }
}

async function umociAndSkopeo(home: string, host: string): Promise<RegistryCase[]> {
  const { layout, tag } = await buildImage(join(home, 'umoci'), 'amd64');
  const copy = async (repository: string, ...options: string[]) => {
    const how = ['--insecure-policy', 'copy', '--dest-tls-verify=false', ...options];
    await runProgram(
      'skopeo',
      [...how, `oci:${layout}:${tag}`, `docker://${host}/${repository}:built`],
      home,
    );
    return { repository, tag: 'built' };
  };
  return [
    { name: 'umoci-oci', madeBy: 'umoci', ...(await copy('umoci/oci', '--preserve-digests')) },
    { name: 'skopeo-oci', madeBy: 'skopeo --format oci', ...(await copy('skopeo/oci', '--format', 'oci')) },
    {
      name: 'skopeo-schema2',
      madeBy: 'skopeo --format v2s2',
      ...(await copy('skopeo/schema2', '--format', 'v2s2')),
    },
    {
      name: 'skopeo-schema1',
      madeBy: 'skopeo --format v2s1',
      ...(await copy('skopeo/schema1', '--format', 'v2s1')),
    },
    {
      name: 'docker-registry-schema1',
      madeBy: 'docker-registry 2.8.2, asked without Accept for what skopeo --format v2s2 pushed',
      repository: 'skopeo/schema2',
      tag: 'built',
      accept: '',
    },
    {
      name: 'skopeo-zstd',
      madeBy: 'skopeo --format oci --dest-compress-format zstd',
      ...(await copy('skopeo/zstd', '--format', 'oci', '--dest-compress-format', 'zstd')),
    },
  ];
}

async function buildah(home: string, host: string): Promise<RegistryCase[]> {
  const policy = join(home, 'policy.json');
  await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const storage = ['--root', join(home, 'root'), '--runroot', join(home, 'run'), '--storage-driver', 'vfs'];
  const run = (...args: string[]) => runProgram('buildah', [...storage, ...args], home);
  const anyPolicy = ['--signature-policy', policy];
  const cases: RegistryCase[] = [];
  for (const [format, dialect] of [
    ['docker', 'schema2'],
    ['oci', 'oci'],
  ] as const) {
    await run('manifest', 'create', `list-${dialect}`);
    for (const architecture of ['amd64', 'arm64']) {
      const name = `${dialect}-${architecture}`;
      await build(run, home, { name, format, architecture, anyPolicy });
      await run('manifest', 'add', `list-${dialect}`, `localhost/${name}`);
    }
    const target = `docker://${host}/buildah/${dialect}`;
    const push = [...anyPolicy, '--tls-verify=false', '--format', format === 'docker' ? 'v2s2' : 'oci'];
    await run('push', ...push, `localhost/${dialect}-amd64`, `${target}:one`);
    await run('manifest', 'push', ...push, '--all', `list-${dialect}`, `${target}:many`);
    const common = { madeBy: `buildah --format ${format}`, repository: `buildah/${dialect}` };
    cases.push({ name: `buildah-${dialect}`, ...common, tag: 'one' });
    cases.push({ name: `buildah-${dialect}-many`, ...common, tag: 'many' });
  }
  return cases;
}

interface Build {
  readonly name: string;
  readonly format: 'docker' | 'oci';
  readonly architecture: string;
  readonly anyPolicy: readonly string[];
}

async function build(
  run: (...args: string[]) => Promise<string>,
  home: string,
  { name, format, architecture, anyPolicy }: Build,
): Promise<void> {
  const container = await run('from', '--arch', architecture, 'scratch');
  await writeFile(join(home, 'greeting'), `Hello from <${architecture}> & all.\n`);
  await run('add', container, join(home, 'greeting'), '/greeting');
  await run('config', '--arch', architecture, '--env', 'A=<b>&"c"', '--cmd', '/greeting', container);
  await run('config', '--annotation', 'org.example.built=yes', '--label', 'org.example=é', container);
  await run('commit', ...anyPolicy, '--format', format, container, `${name}-base`);
  const upper = await run('from', ...anyPolicy, `localhost/${name}-base`);
  await run('config', '--workingdir', '/opt', '--healthcheck', 'CMD true', upper);
  await run('add', upper, join(home, 'greeting'), '/opt/greeting');
  await run('commit', ...anyPolicy, '--format', format, upper, name);
}
