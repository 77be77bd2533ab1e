import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type FileTree, readTree } from './file-tree.ts';
import { runProgram } from './programs.ts';
import { skopeoCopy } from './skopeo-copy.ts';

/** An image that umoci built, in an OCI layout. */
export interface RealImage {
  readonly layout: string;
  readonly tag: string;
  /** The files that it was built from, and is to unpack to. */
  readonly files: FileTree;
}

/**
 * Builds an image of two gzip layers, with history entries without a layer before, between and after them. The
 * second layer has a megabyte that does not compress, writes over a file of the first and removes another: layers
 * that are lost, or unpacked in the wrong order, make a difference.
 * @param directory is made, and holds everything.
 */
export async function buildImage(directory: string, architecture: string): Promise<RealImage> {
  await mkdir(directory);
  const [layout, tag, root] = [join(directory, 'layout'), 'built', join(directory, 'bundle/rootfs')];
  const umoci = (command: string, ...args: string[]) =>
    runProgram('umoci', [command, '--image', `${layout}:${tag}`, ...args], directory);
  const addLayer = (createdBy: string) =>
    umoci('repack', '--refresh-bundle', '--history.created_by', createdBy, 'bundle');

  await runProgram('umoci', ['init', '--layout', layout], directory);
  await umoci('new');
  await umoci('config', '--os', 'linux', '--architecture', architecture, '--config.workingdir', '/opt');
  await umoci('unpack', 'bundle');
  await writeBase(root, architecture);
  await addLayer('/bin/sh -c #(nop) ADD base in / ');
  await umoci('config', '--config.env', 'GREETING=<hello> & "goodbye"');
  await writeTop(root, architecture);
  await addLayer('/bin/sh -c #(nop) ADD top in / ');
  await umoci('config', '--config.cmd', '/opt/application/run', '--author', 'regshift');
  return { layout, tag, files: await readTree(root) };
}

async function writeBase(root: string, architecture: string): Promise<void> {
  await write(join(root, 'etc/os-release'), `NAME="regshift test"\nARCHITECTURE="${architecture}"\n`);
  await write(join(root, 'etc/motd'), 'Written over by the layer above.\n');
  await write(join(root, 'etc/removed'), 'Removed by the layer above.\n');
  await write(join(root, 'usr/share/empty'), '');
  await mkdir(join(root, 'usr/bin'), { recursive: true });
  await symlink('usr/bin', join(root, 'bin'));
}

async function writeTop(root: string, architecture: string): Promise<void> {
  await rm(join(root, 'etc/removed'));
  await write(join(root, 'etc/motd'), `Hello from ${architecture}.\n`);
  await write(join(root, 'opt/application/random'), randomBytes(1024 * 1024));
  await write(join(root, 'opt/application/run'), '#!/bin/sh\ncat /etc/motd\n');
  await chmod(join(root, 'opt/application/run'), 0o755);
  await symlink('../../etc/motd', join(root, 'opt/application/greeting'));
}

async function write(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

/**
 * Pushes with skopeo.
 * @param format what skopeo is to make of it.
 * @param reference like `127.0.0.1:5000/name:tag`
 */
export async function pushImageAs(
  { layout, tag }: RealImage,
  format: 'oci' | 'v2s2',
  reference: string,
): Promise<void> {
  const target = `docker://${reference}`;
  await skopeoCopy(dirname(layout), `oci:${layout}:${tag}`, target, '--format', format);
}
