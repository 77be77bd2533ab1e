import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Containers, importNodeImage, openContainers } from '../support/containers.ts';
import { freePort } from '../support/daemon.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { rawRequest } from '../support/raw-http.ts';
import { projectAddress } from '../support/release/address.ts';
import { skopeoCopy } from '../support/skopeo-copy.ts';

const root = join(import.meta.dirname, '../..');
const unit = join(root, 'deploy/systemd/regshift.service');

const base = 'localhost/node-base:24';
const image = 'localhost/regshift:test';
/** A container serves the sample registry only if it is asked for. */
const samples = ['--env', 'REGSHIFT_UPSTREAM=sample'];
/** The restrictions under which the image promises to run. */
const confined = ['--read-only', '--cap-drop', 'all', '--security-opt', 'no-new-privileges'];

describe.skipIf(requirePeers('buildah', 'podman', 'npm'))('deploy/docker/Dockerfile', () => {
  let containers: Containers;
  let forbidden: string | undefined;
  beforeAll(async () => {
    containers = await openContainers();
    await importNodeImage(containers, base);
    await build(containers);
    forbidden = await whyNoContainers(containers);
  }, 300_000);
  afterAll(() => containers?.stop());

  it('builds an image of the program without packages, for a user who is not root', async () => {
    const [inspected] = JSON.parse(await containers.podman('image', 'inspect', image));
    const { User, Env, ExposedPorts, Labels } = inspected.Config;
    expect({ User, ExposedPorts }).toEqual({ User: '65532:65532', ExposedPorts: { '8080/tcp': {} } });
    expect(Env).toContain('HOST=0.0.0.0');
    expect(Labels).toMatchObject({
      'org.opencontainers.image.version': '9.8.7',
      'org.opencontainers.image.revision': 'of-the-test',
      'org.opencontainers.image.source': projectAddress(),
    });
    expect(inspected.Healthcheck?.Test?.[0]).toBe('CMD');
    const [bare] = JSON.parse(await containers.podman('image', 'inspect', base));
    // Megabytes without Node itself.
    expect((inspected.Size - bare.Size) / 1e6).toBeLessThan(5);
  });

  it('has the licences of all that is in it, and their list', async ({ skip }) => {
    if (forbidden) skip(forbidden);
    const print =
      "console.log(JSON.stringify([fs.readdirSync('.').sort(), JSON.parse(fs.readFileSync('sbom.cdx.json', 'utf8')).components.length]))";
    const run = [
      'run',
      '--rm',
      ...containers.runOptions,
      '--entrypoint',
      '/nodejs/bin/node',
      image,
      '-e',
      print,
    ];
    const [files, components] = JSON.parse(await containers.podman(...run));
    expect(files).toEqual(['LICENSE', 'THIRD-PARTY.md', 'bin', 'package.json', 'sbom.cdx.json']);
    expect(components).toBeGreaterThan(20);
  });

  it('serves, is healthy, and cannot write to its root', async ({ skip }) => {
    if (forbidden) skip(forbidden);
    const port = await freePort();
    const id = await start(containers, port, [...samples, ...confined]);
    const answer = await answerOf(port, '/v2/sample/oci/manifests/latest');
    expect(answer.header('Content-Type')).toBe('application/vnd.docker.distribution.manifest.v1+prettyjws');
    await containers.podman('healthcheck', 'run', id);
    // The user id of each process of the container.
    expect(await containers.podman('top', id, 'user')).toMatch(/^USER\s+65532$/);
    await expect(
      containers.podman('exec', id, '/nodejs/bin/node', '-e', 'fs.writeFileSync("x","")'),
    ).rejects.toThrow('EROFS');
  });

  it('is pulled through by a client', async ({ skip }) => {
    if (forbidden) skip(forbidden);
    const missing = requirePeers('skopeo');
    if (missing) skip(missing);
    const port = await freePort();
    await start(containers, port, [...samples, ...confined]);
    await answerOf(port, '/healthz');
    const pulled = join(containers.home, 'pulled');
    await skopeoCopy(containers.home, `docker://127.0.0.1:${port}/sample/index:latest`, `dir:${pulled}`);
    const manifest = JSON.parse(await readFile(join(pulled, 'manifest.json'), 'utf8'));
    expect(manifest.layers.length).toBeGreaterThan(0);
  });

  it('does not start without a registry, and names both ways on', async ({ skip }) => {
    if (forbidden) skip(forbidden);
    const { podman, runOptions } = containers;
    await expect(podman('run', '--rm', ...runOptions, ...confined, image)).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /REGSHIFT_UPSTREAM is not set: .*NODE_ENV is production.*REGSHIFT_UPSTREAM=sample/,
      ),
    });
  });

  it('is not healthy where nothing listens', async ({ skip }) => {
    if (forbidden) skip(forbidden);
    const id = await start(
      containers,
      await freePort(),
      ['--entrypoint', '["/nodejs/bin/node"]'],
      [...['-e', 'setInterval(() => {}, 1000)']],
    );
    await expect(containers.podman('healthcheck', 'run', id)).rejects.toThrow();
  });

  it('serves with the system calls that deploy/systemd leaves it', async ({ skip }) => {
    if (forbidden) skip(forbidden);
    const missing = requirePeers('systemd-analyze');
    if (missing) skip(missing);
    const profile = join(containers.home, 'seccomp.json');
    await writeFile(profile, JSON.stringify(await seccompOfUnit(containers.home)));
    const port = await freePort();
    await start(containers, port, [...samples, ...confined, '--security-opt', `seccomp=${profile}`]);
    const answer = await answerOf(port, '/v2/sample/oci/manifests/latest');
    expect(answer.status).toBe(200);
  });
});

describe.skipIf(requirePeers('docker-compose'))('deploy/docker/compose.yaml', () => {
  it('is a file that docker-compose 1 reads', async () => {
    const file = join(root, 'deploy/docker/compose.yaml');
    const services = await runProgram('docker-compose', ['--file', file, 'config', '--services'], root);
    expect(services.split('\n').toSorted()).toEqual(['registry', 'regshift', 'valkey']);
  });
});

describe.skipIf(requirePeers('systemd-analyze'))('deploy/systemd/regshift.service', () => {
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-unit-'));
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  it('is a unit that systemd understands, without a word of complaint', async () => {
    // systemd checks that the program of the unit exists, and Node may have another path here.
    const text = (await readFile(unit, 'utf8')).replace('/usr/bin/node', process.execPath);
    await writeFile(join(home, 'regshift.service'), text);
    const verify = 'systemd-analyze verify --man=no ./regshift.service 2>&1';
    expect(await runProgram('sh', ['-c', verify], home)).toBe('');
  });

  it('is exposed to little', async () => {
    // The scale ends at 10; a unit without any hardening has 9.6. The rest comes from the network and from V8, which writes machine code.
    await runProgram('systemd-analyze', ['security', '--offline=true', '--threshold=15', unit], root);
  });
});

async function build({ home, buildah }: Containers): Promise<void> {
  const npmrc = join(home, 'npmrc');
  // The build reads the packages that npm has already cached on this machine.
  await writeFile(npmrc, 'cache=/npm-cache\nprefer-offline=true\n');
  const cache = await runProgram('npm', ['config', 'get', 'cache'], process.env.HOME ?? home);
  await mkdir(cache, { recursive: true });
  await buildah(
    ...['bud', '--isolation', 'chroot', '--network', 'host', '--format', 'docker', '--layers=false'],
    ...['--build-arg', `BUILD_IMAGE=${base}`, '--build-arg', `RUN_IMAGE=${base}`],
    ...['--build-arg', 'VERSION=9.8.7', '--build-arg', 'REVISION=of-the-test'],
    ...['-v', `${npmrc}:/root/.npmrc:ro`, '-v', `${cache}:/npm-cache:O`],
    ...['-f', join(root, 'deploy/docker/Dockerfile'), '-t', image, root],
  );
}

/** Skips a test where the kernel or a sandbox forbids containers: that is not an error of the image. */
async function whyNoContainers({ podman, runOptions }: Containers): Promise<string | undefined> {
  try {
    await podman('run', '--rm', ...runOptions, base, '/nodejs/bin/node', '--version');
    return undefined;
  } catch (error) {
    const reason = `this machine runs no containers: ${String((error as { stderr?: string }).stderr ?? error)}`;
    console.warn(`\n*** SKIPPED, running the image: ${reason} ***\n`);
    return reason;
  }
}

async function start(
  { podman, runOptions }: Containers,
  port: number,
  options: readonly string[],
  command: readonly string[] = [],
): Promise<string> {
  const address = ['--env', 'HOST=127.0.0.1', '--env', `PORT=${port}`];
  return podman('run', '--detach', ...runOptions, ...address, ...options, image, ...command);
}

async function answerOf(port: number, path: string) {
  for (let tries = 0; ; tries++) {
    try {
      return await rawRequest({ port, method: 'GET', path, headers: [['User-Agent', 'docker/1.9.1']] });
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(100);
    }
  }
}

/** Translates `SystemCallFilter=` of the unit into a seccomp profile for container runtimes. */
async function seccompOfUnit(home: string): Promise<object> {
  const sets = await callSets(home);
  const all = (name: string): string[] =>
    name.startsWith('@') ? (sets.get(name) ?? []).flatMap(all) : [name];
  const lines = [...(await readFile(unit, 'utf8')).matchAll(/^SystemCallFilter=(~?)(.+)$/gm)];
  const named = (sign: string) =>
    lines.filter(([, each]) => each === sign).flatMap(([, , list = '']) => list.split(' ').flatMap(all));
  const denied = new Set(named('~'));
  const names = named('').filter((name) => !denied.has(name));
  if (names.length < 100) throw new Error(`systemd-analyze names ${names.length} calls`);
  // Calls that a container runtime needs after the filter is in force; systemd makes them before.
  const runtime = ['capget', 'capset', 'setuid', 'setgid', 'setgroups', 'setresuid', 'setresgid', 'chdir'];
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
    syscalls: [{ names: [...names, ...runtime], action: 'SCMP_ACT_ALLOW' }],
  };
}

async function callSets(home: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const listed = await runProgram('systemd-analyze', ['--no-pager', 'syscall-filter'], home);
  const sets = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of listed.split('\n')) {
    if (line.startsWith('@')) {
      current = [];
      sets.set(line.trim(), current);
    } else if (/^ {4}[@a-z]/.test(line)) current.push(line.trim());
  }
  return sets;
}
