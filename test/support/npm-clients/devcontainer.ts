import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageFolder } from '../npm-packages.ts';
import { programEnvironment } from '../programs.ts';

const execute = promisify(execFile);

/** An engine without images: the CLI then reads the image's config from the registry. */
const emptyEngine = '#!/bin/sh\n[ "$1" = ps ] && exit 0\necho "no such object" >&2\nexit 1\n';

/** The Dev Containers CLI 0.89, in a directory of its own. */
export interface Devcontainer {
  /** Packs a Feature of this version and pushes it to `<namespace>/hello`. @returns what the CLI published. */
  publish(host: string, namespace: string, version: string): Promise<unknown>;
  /** The manifest and the tags of a Feature. */
  info(reference: string): Promise<unknown>;
  /**
   * Reads the configuration of a workspace that uses an image and a Feature, with the config of the image.
   * @returns the digests of the Features, whose layers the CLI has downloaded. @throws Error with the CLI's output.
   */
  read(image: string, feature: string): Promise<readonly string[]>;
}

/** @param home the only directory that the CLI reads and writes. */
export async function devcontainer(home: string): Promise<Devcontainer> {
  const docker = join(home, 'docker');
  await writeFile(docker, emptyEngine);
  await chmod(docker, 0o755);
  const cli = join(packageFolder('@devcontainers/cli'), 'devcontainer.js');
  const run = async (...args: string[]): Promise<unknown> => {
    const options = { cwd: home, env: programEnvironment(home), timeout: 60_000 };
    const { stdout } = await execute(process.execPath, [cli, ...args], options);
    return JSON.parse(stdout);
  };

  return {
    publish: async (host, namespace, version) => {
      const source = await mkdtemp(join(home, 'features-'));
      await write(join(source, 'hello/devcontainer-feature.json'), { id: 'hello', name: 'Hello', version });
      await writeFile(join(source, 'hello/install.sh'), '#!/bin/sh\necho hello\n');
      return run('features', 'publish', source, '--registry', host, '--namespace', namespace);
    },
    info: (reference) => run('features', 'info', 'tags', reference, '--output-format', 'json'),
    read: async (image, feature) => {
      const workspace = await mkdtemp(join(home, 'workspace-'));
      await write(join(workspace, '.devcontainer.json'), { image, features: { [feature]: {} } });
      const parts = ['--include-merged-configuration', '--include-features-configuration'];
      const place = ['--workspace-folder', workspace, '--docker-path', docker];
      return featuresIn(await run('read-configuration', ...place, ...parts));
    },
  };
}

async function write(file: string, content: object): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, JSON.stringify(content));
}

function featuresIn(output: unknown): readonly string[] {
  const { featuresConfiguration } = output as {
    featuresConfiguration: { featureSets: { computedDigest: string }[] };
  };
  return featuresConfiguration.featureSets.map(({ computedDigest }) => computedDigest);
}
