import { execFileSync } from 'node:child_process';
import { delimiter, join } from 'node:path';

/** The PATH without the programs of npm packages, as a shell has it outside of npm. */
export const systemPath = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter);

export interface OldNode {
  readonly path: string;
  /** Like `20.20.2`. */
  readonly version: string;
}

/** The machine's own Node, if it is older than the oldest that regshift runs on; undefined otherwise. */
export function findOldNode(): OldNode | undefined {
  for (const folder of systemPath.split(delimiter)) {
    const path = join(folder, 'node');
    try {
      const version = execFileSync(path, ['--print', 'process.versions.node'], { encoding: 'utf8' }).trim();
      const [major = 0, minor = 0] = version.split('.').map(Number);
      return major < 22 || (major === 22 && minor < 18) ? { path, version } : undefined;
    } catch {
      // This folder has no Node.
    }
  }
  return undefined;
}
