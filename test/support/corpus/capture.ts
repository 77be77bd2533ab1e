import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digest, isDigest, mediaTypes } from '../../../converters/index.ts';
import { makeCertificate } from '../certificate.ts';
import { withEngine } from '../clients/docker.ts';
import { startDaemon } from '../daemon.ts';
import { alice, startDockerRegistry } from '../docker-registry.ts';
import { runProgram } from '../programs.ts';
import { childrenOf } from '../sample-tree.ts';
import type { CapturedFile, CapturedImage, CapturedManifest } from './captured.ts';
import { preludes, recipes, tools } from './recipes.ts';

/**
 * Runs the programs of `recipes.ts`, and writes `test/corpus/captured/<tool>.json`. Each run makes other images, so the
 * files are frozen: run it only for a tool with new recipes. The programs must be in PATH.
 *
 *     node test/support/corpus/capture.ts <tool> [tool …]
 */
const folder = join(import.meta.dirname, '../../corpus/captured');

const widest = [
  ...[mediaTypes.ociManifest, mediaTypes.ociIndex, mediaTypes.schema2, mediaTypes.dockerList],
  mediaTypes.schema1Signed,
].join(', ');

/** Commands in the shell of each recipe: storage of containers without a user's settings. */
const common = `
  exec 2>&1
  store="--root $HOME/root --runroot $HOME/run --storage-driver vfs"
  buildah() {
    case $1 in
      commit | push) command buildah $store $1 --signature-policy $HOME/policy.json --tls-verify=false "\${@:2}" ;;
      manifest) case $2 in
        push) command buildah $store manifest push --signature-policy $HOME/policy.json --tls-verify=false "\${@:3}" ;;
        *) command buildah $store "$@" ;;
      esac ;;
      bud) command buildah $store bud --signature-policy $HOME/policy.json "\${@:2}" ;;
      *) command buildah $store "$@" ;;
    esac
  }
  podman() {
    case $1 in
      push) command podman $store --tmpdir $HOME/tmp --events-backend none --cgroup-manager cgroupfs push --signature-policy $HOME/policy.json --tls-verify=false "\${@:2}" ;;
      manifest) case $2 in
        push) command podman $store --tmpdir $HOME/tmp --events-backend none --cgroup-manager cgroupfs manifest push --tls-verify=false "\${@:3}" ;;
        *) command podman $store --tmpdir $HOME/tmp --events-backend none --cgroup-manager cgroupfs "$@" ;;
      esac ;;
      *) command podman $store --tmpdir $HOME/tmp --events-backend none --cgroup-manager cgroupfs "$@" ;;
    esac
  }
  skopeo() { command skopeo --insecure-policy copy --src-tls-verify=false --dest-tls-verify=false "\${@:2}"; }
  docker() { DOCKER_CLI_EXPERIMENTAL=enabled /usr/bin/docker "$@"; }
  ctr() { command ctr --address $CONTAINERD "$@"; }
  ctr-remote() { command ctr-remote --address $CONTAINERD "$@"; }
  ch-image() { USER=tester LC_ALL=C.UTF-8 /usr/bin/python3 $(command which ch-image) --tls-no-verify --no-cache --arch amd64 --storage $HOME/ch "$@"; }
`;

/** The addresses of what the recipes use. */
type Places = Readonly<Record<'R' | 'RTLS' | 'RAUTH' | 'DOCKER_HOST' | 'CONTAINERD', string>>;

async function run(tool: string, name: string, script: string, places: Places): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-capture-'));
  try {
    await writeFile(join(home, 'policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
    await mkdir(join(home, '.docker'));
    await writeFile(join(home, '.dockercfg'), '{}');
    await writeFile(join(home, 'one'), `${tool} ${name}\n`);
    await writeFile(join(home, 'two'), 'two\n');
    const values = {
      ...places,
      NAME: name,
      NPM: process.env.NODE_PATH ?? '',
      TO: `${places.R}/${tool}/${name}:latest`,
    };
    const exports = Object.entries(values).map(([key, value]) => `export ${key}='${value}'`);
    const text = [...exports, common, preludes[tool] ?? '', script].join('\n');
    return await runProgram('bash', ['-euo', 'pipefail', '-c', text], home);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

interface Captured {
  readonly manifests: readonly CapturedManifest[];
  readonly blobs: CapturedFile['blobs'];
}

/** Reads everything that a tag leads to. */
async function read(registry: string, repository: string): Promise<Captured> {
  const manifests = new Map<string, CapturedManifest>();
  const blobs: Record<string, { readonly text: string } | { readonly base64: string }> = {};
  const get = async (path: string) => {
    const response = await fetch(`${registry}/v2/${repository}/${path}`, { headers: { accept: widest } });
    const bytes = Buffer.from(await response.arrayBuffer());
    const header = (name: string) => response.headers.get(name) ?? '';
    const [mediaType, digest] = [header('content-type'), header('docker-content-digest') as Digest];
    return response.ok ? { bytes, mediaType, digest } : undefined;
  };
  const visit = async (reference: string): Promise<void> => {
    const manifest = await get(`manifests/${reference}`);
    if (manifest) {
      for (const child of childrenOf(manifest.bytes)) await visit(child);
      const { bytes, mediaType, digest } = manifest;
      manifests.set(reference, { mediaType, digest, text: bytes.toString() });
      return;
    }
    const blob = await get(`blobs/${reference}`);
    if (!blob || !isDigest(reference)) throw new Error(`${repository} has no ${reference}`);
    const isText = blob.bytes[0] === 0x7b;
    blobs[reference] = isText ? { text: blob.bytes.toString() } : { base64: blob.bytes.toString('base64') };
  };
  await visit('latest');
  return { manifests: [...manifests.values()], blobs };
}

async function capture(tool: string, places: Places, registry: string): Promise<void> {
  const version = await run(tool, 'version', tools[tool] ?? '', places);
  const images: CapturedImage[] = [];
  let blobs: CapturedFile['blobs'] = {};
  for (const [name, ran] of Object.entries(recipes[tool] ?? {})) {
    try {
      await run(tool, name, ran, places);
      const captured = await read(registry, `${tool}/${name}`);
      images.push({ name, ran, manifests: captured.manifests });
      blobs = { ...blobs, ...captured.blobs };
    } catch (error) {
      const { stdout = '', message } = error as { stdout?: string; message: string };
      console.error(`${tool} ${name}: ${(stdout || message).slice(-600)}`);
    }
  }
  const lastLine = version.split('\n').at(-1) ?? '';
  const date = new Date().toISOString().slice(0, 10);
  const file: CapturedFile = { tool, version: lastLine, date, images, blobs };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${tool}.json`), `${JSON.stringify(file, null, 1)}\n`);
  console.log(`${tool}: ${images.length} of ${Object.keys(recipes[tool] ?? {}).length}`);
}

const home = await mkdtemp(join(tmpdir(), 'regshift-captures-'));
const address = join(home, 'containerd.sock');
const plain = await startDockerRegistry();
const secure = await startDockerRegistry({
  storage: plain.storage,
  tls: makeCertificate(home, 'one'),
});
const closed = await startDockerRegistry({ storage: plain.storage, htpasswd: alice.htpasswd });
const engine = await startDaemon({
  program: 'containerd',
  args: ['--address', address, '--root', join(home, 'root'), '--state', join(home, 'state')],
  directory: home,
  isReady: async () => (await runProgram('ctr', ['--address', address, 'version'], tmpdir())) !== '',
});
try {
  await withEngine(['--insecure-registry', '127.0.0.1', '--experimental'], async (_, socket) => {
    const [R, RTLS, RAUTH] = [plain, secure, closed].map(({ url }) => new URL(url).host) as [
      string,
      string,
      string,
    ];
    const places = { R, RTLS, RAUTH, DOCKER_HOST: socket, CONTAINERD: address };
    for (const tool of process.argv.slice(2)) await capture(tool, places, plain.url);
  });
} finally {
  await engine.stop();
  await closed.stop();
  await secure.stop();
  await plain.stop();
}
