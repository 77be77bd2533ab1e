import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

export const projectRoot = join(import.meta.dirname, '../..');

/** The program for Node to run: its own launcher would be one more process between a test and the process to end. */
export const wrangler = join(projectRoot, 'node_modules/wrangler/bin/wrangler.js');

/** An environment in which wrangler needs no network, asks no question and writes nothing below the project. */
export function quietWrangler(directory: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CI: '1',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    // The package's own name leads to its sources, and else as wrangler itself resolves packages (its `getBuildConditions`).
    WRANGLER_BUILD_CONDITIONS: 'regshift-sources,workerd,worker,browser',
    WRANGLER_NO_SKILLS_UPDATE_PROMPTS: 'true',
    WRANGLER_LOG_PATH: join(directory, 'logs'),
    WRANGLER_CACHE_DIR: join(directory, 'cache'),
    WRANGLER_REGISTRY_PATH: join(directory, 'registry'),
    XDG_CONFIG_HOME: join(directory, 'config'),
  };
}

/**
 * Bundles the Worker into one file, as for an upload.
 * @param directory the target.
 * @param entry another Worker below the project than that of wrangler.toml.
 * @returns the path of the file.
 */
export async function bundleWorker(
  directory: string,
  entry = 'src/runtime/worker/entry.ts',
): Promise<string> {
  const own = mkdtempSync(join(tmpdir(), 'regshift-bundle-'));
  try {
    await promisify(execFile)(
      process.execPath,
      [wrangler, 'deploy', entry, '--dry-run', '--outdir', directory],
      {
        cwd: projectRoot,
        env: quietWrangler(own),
      },
    );
    return join(directory, `${basename(entry, '.ts')}.js`);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}
