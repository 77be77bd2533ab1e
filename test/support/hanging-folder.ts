import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { reasonToSkip } from './programs.ts';

/** The reason why this machine can mount no file system that hangs; as `requirePeers`. */
export function requireHangingFolder(): string | undefined {
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
  } catch {
    return reasonToSkip(['/dev/fuse, for this user']);
  }
  return process.getuid?.() === 0 ? undefined : reasonToSkip(['mount, for this user']);
}

export interface HangingFolder {
  /** Ends the hang: operations fail, and the folder is as it was. */
  release(): void;
}

/**
 * Mounts a FUSE file system without a program behind it: each system call on the folder hangs, as on an NFS whose server
 * is away, until `release`.
 */
export function hangFolder(path: string): HangingFolder {
  const device = openSync('/dev/fuse', 'r+');
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  const mount = ['-i', '-t', 'fuse', '-o', options, 'hangs', path];
  const { status, stderr } = spawnSync('mount', mount, { stdio: ['ignore', 'ignore', 'pipe', device] });
  if (status !== 0) {
    closeSync(device);
    throw new Error(`mount failed: ${stderr}`);
  }
  return {
    release() {
      closeSync(device);
      spawnSync('umount', ['-l', path]);
    },
  };
}
