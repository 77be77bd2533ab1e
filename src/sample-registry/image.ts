import { type Digest, digestOf } from '../../converters/digest.ts';
import { utf8 } from './bytes.ts';
import { json } from './content.ts';
import { tar } from './tar.ts';

export interface SamplePlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export const amd64: SamplePlatform = { os: 'linux', architecture: 'amd64' };
export const arm64: SamplePlatform = { os: 'linux', architecture: 'arm64', variant: 'v8' };

export interface SampleLayer {
  readonly tar: Uint8Array;
  readonly diffId: Digest;
  /** The argument to `/bin/sh -c` in the history. */
  readonly instruction: string;
}

interface HistoryEntry {
  readonly created: string;
  readonly created_by: string;
  readonly empty_layer?: true;
}

/** An image without a manifest. Each format adds its manifest and its compression. */
export interface SampleImage {
  readonly platform: SamplePlatform;
  readonly layers: readonly SampleLayer[];
  /** The bytes of the config, which is the same for OCI and Docker. */
  readonly config: Uint8Array;
}

export type History = 'layers-only' | 'with-empty-entries' | 'none';

export const created = '2016-02-04T00:00:00Z';

export const runConfig = {
  Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  Cmd: ['cat', '/hello.txt'],
  WorkingDir: '/',
} as const;

/** An image of two layers: a base with /etc, and /hello.txt, which names the sample and its platform. */
export function sampleImage(
  repository: string,
  platform = amd64,
  history: History = 'layers-only',
): SampleImage {
  const layers = sampleLayers(repository, platform);
  const entries = historyOf(layers, history);
  const config = json({
    architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: runConfig,
    created,
    ...(entries === undefined ? {} : { history: entries }),
    os: platform.os,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
  });
  return { platform, layers, config };
}

function sampleLayers(repository: string, platform: SamplePlatform): SampleLayer[] {
  const where = platformName(platform);
  const release = utf8(`NAME="regshift sample"\nPLATFORM="${where}"\n`);
  const hello = utf8(`Hello from ${repository} on ${where}.\n`);
  const base = tar([
    { kind: 'directory', path: 'etc' },
    { kind: 'file', path: 'etc/os-release', content: release },
  ]);
  const top = tar([{ kind: 'file', path: 'hello.txt', content: hello }]);
  return [layer(base, '#(nop) ADD rootfs.tar / '), layer(top, '#(nop) COPY file:hello.txt in /hello.txt ')];
}

function layer(bytes: Uint8Array, instruction: string): SampleLayer {
  return { tar: bytes, diffId: digestOf(bytes), instruction };
}

function platformName(platform: SamplePlatform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

function historyOf(layers: readonly SampleLayer[], history: History): HistoryEntry[] | undefined {
  if (history === 'none') return undefined;
  const real = layers.map((each) => ({ created, created_by: `/bin/sh -c ${each.instruction}` }));
  if (history === 'layers-only') return real;
  // Below, between and above the layers, so that tests detect a converter that counts wrongly anywhere.
  const between = real.flatMap((entry) => [entry, empty('ENV SAMPLE=yes')]);
  return [empty('LABEL sample=yes'), ...between, empty('CMD ["cat" "/hello.txt"]')];
}

function empty(instruction: string): HistoryEntry {
  return { created, created_by: `/bin/sh -c #(nop)  ${instruction}`, empty_layer: true };
}
