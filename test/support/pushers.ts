import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pushByDocker } from './clients/docker.ts';
import { startDaemon } from './daemon.ts';
import { runProgram } from './programs.ts';
import type { RealImage } from './real-image.ts';
import { skopeoCopy } from './skopeo-copy.ts';

/** A program that people push images with. */
export interface Pusher {
  readonly name: string;
  /** The programs that must be installed. */
  readonly programs: readonly string[];
  /**
   * Pushes an image from its OCI layout to a registry without TLS.
   * @param reference like `127.0.0.1:5000/name:tag`.
   * @param login like `user:password`.
   * @returns the digest that the program reports; undefined when it reports none.
   */
  push(image: RealImage, reference: string, login?: string): Promise<string | undefined>;
}

async function inDirectory<Result>(work: (home: string) => Promise<Result>): Promise<Result> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-push-'));
  try {
    return await work(home);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

const skopeo = (format: 'oci' | 'v2s2' | 'v2s1'): Pusher => ({
  name: `skopeo copy --format ${format}`,
  programs: ['skopeo'],
  push: ({ layout, tag }, reference, login) =>
    inDirectory(async (home) => {
      const digest = join(home, 'digest');
      const how = ['--format', format, '--digestfile', digest];
      const credentials = login === undefined ? [] : ['--dest-creds', login];
      await skopeoCopy(home, `oci:${layout}:${tag}`, `docker://${reference}`, ...how, ...credentials);
      return readFile(digest, 'utf8');
    }),
});

const byStorage = (program: 'podman' | 'buildah'): Pusher => ({
  name: `${program} push`,
  programs: [program],
  push: ({ layout, tag }, reference, login) =>
    inDirectory(async (home) => {
      const policy = join(home, 'policy.json');
      await writeFile(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
      const digest = join(home, 'digest');
      const places = [
        '--root',
        join(home, 'root'),
        '--runroot',
        join(home, 'run'),
        '--storage-driver',
        'vfs',
      ];
      const quiet = program === 'podman' ? ['--events-backend', 'none', '--cgroup-manager', 'cgroupfs'] : [];
      const run = (...args: string[]) => runProgram(program, [...places, ...quiet, ...args], home);
      const image = await run('pull', '--quiet', '--signature-policy', policy, `oci:${layout}:${tag}`);
      const credentials = login === undefined ? [] : ['--creds', login];
      const how = [
        '--tls-verify=false',
        '--signature-policy',
        policy,
        '--digestfile',
        digest,
        ...credentials,
      ];
      await run('push', ...how, image, `docker://${reference}`);
      return readFile(digest, 'utf8');
    }),
});

const containerd: Pusher = {
  name: 'ctr images push',
  programs: ['containerd', 'ctr', 'skopeo'],
  push: ({ layout, tag }, reference, login) =>
    inDirectory(async (home) => {
      const directory = await mkdtemp(join(home, 'containerd-'));
      const [address, config] = [join(directory, 'containerd.sock'), join(directory, 'config.toml')];
      const places = `root = "${join(directory, 'root')}"\nstate = "${join(directory, 'state')}"`;
      const plugins = 'disabled_plugins = ["io.containerd.grpc.v1.cri"]';
      await writeFile(config, `version = 2\n${places}\n${plugins}\n[grpc]\naddress = "${address}"\n`);
      const ctr = (...args: string[]) => runProgram('ctr', ['--address', address, ...args], home);
      const isReady = async () => (await ctr('version')) !== '';
      const { stop } = await startDaemon({
        program: 'containerd',
        args: ['--config', config],
        directory,
        isReady,
      });
      try {
        const archive = join(home, 'image.tar');
        await skopeoCopy(home, `oci:${layout}:${tag}`, `oci-archive:${archive}:${tag}`);
        await ctr('images', 'import', '--no-unpack', '--index-name', reference, archive);
        const [, , digest] =
          (await ctr('images', 'list', `name==${reference}`)).split('\n')[1]?.split(/\s+/) ?? [];
        const credentials = login === undefined ? [] : ['--user', login];
        await ctr('images', 'push', '--plain-http', ...credentials, reference);
        return digest;
      } finally {
        await stop();
      }
    }),
};

/** podman, buildah and skopeo share a library; containerd has its own code. */
export const pushers: readonly Pusher[] = [
  skopeo('oci'),
  skopeo('v2s2'),
  byStorage('podman'),
  byStorage('buildah'),
  containerd,
];

/** Docker 20.10, which pushes schema 2. */
export const dockerPusher: Pusher = {
  name: 'dockerd',
  programs: ['dockerd', 'docker', 'unshare', 'skopeo'],
  async push(image, reference) {
    await pushByDocker(image, reference);
    return undefined;
  },
};

/** skopeo signs schema 1 with a key that it makes. */
export const schema1Pusher: Pusher = skopeo('v2s1');
