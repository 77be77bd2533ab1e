import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian keeps daemons here, and a plain user's PATH may lack them. */
const systemDirectories = ['/usr/sbin', '/sbin'];

export function havePrograms(...names: readonly string[]): boolean {
  return names.every(isInstalled);
}

function isInstalled(name: string): boolean {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...systemDirectories];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Why tests against real programs cannot run here, said loudly, or `undefined` when they can:
 * `describe.skipIf(requirePeers('skopeo'))`.
 * @throws Error instead, where REGSHIFT_REQUIRE_PEERS=1 says that nothing may be skipped
 */
export function requirePeers(...names: readonly string[]): string | undefined {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return undefined;
  const reason = `not installed: ${missing.join(', ')}`;
  if (process.env.REGSHIFT_REQUIRE_PEERS === '1') {
    throw new Error(`REGSHIFT_REQUIRE_PEERS=1, and a peer is ${reason}`);
  }
  console.warn(`\n*** SKIPPED, tests against real programs: ${reason} ***\n`);
  return reason;
}
