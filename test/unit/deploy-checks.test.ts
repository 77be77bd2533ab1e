import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startLoginRegistry } from '../support/login-registry.ts';
import { projectAddress } from '../support/release/address.ts';
import { type SampleServer, startSampleServer } from '../support/sample-server.ts';

const root = join(import.meta.dirname, '../..');

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const action = parse(readFileSync(join(root, 'deploy/github/action.yml'), 'utf8')) as {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
};
const template = (
  parse(readFileSync(join(root, 'deploy/gitlab/regshift-check.yml'), 'utf8')) as Record<
    string,
    {
      readonly variables: Readonly<Record<string, string>>;
      readonly before_script: readonly string[];
      readonly script: readonly string[];
    }
  >
)['.regshift-check'];

let registry: SampleServer;
let host: string;
let folder: string;
beforeAll(async () => {
  registry = await startSampleServer();
  host = new URL(registry.url).host;
  folder = mkdtempSync(join(tmpdir(), 'regshift-deploy-checks-'));
});
afterAll(async () => {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
}

/** Runs a script with the options that GitHub and GitLab have for bash. */
function bash(script: string, env: Readonly<Record<string, string>>, cwd = folder): Promise<Ran> {
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const options = { cwd, env: { PATH: path, HOME: folder, DOCKER_CONFIG: join(folder, 'none'), ...env } };
  return new Promise((resolve) => {
    execFile('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], options, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out: `${out}${err}` }),
    );
  });
}

/** Runs the shell steps of the action as the runner does: expressions in `env` are replaced by inputs. */
async function runAction(inputs: Readonly<Record<string, string>>): Promise<Ran & { summary: string }> {
  const summaryFile = join(folder, `summary-${crypto.randomUUID()}`);
  let out = '';
  let code = 0;
  for (const { run, env = {} } of action.runs.steps) {
    if (run === undefined) continue;
    const own = Object.entries(env).map(([name, text]) => [
      name,
      text.replace(/\$\{\{ inputs\.([a-z-]+) \}\}/g, (_, input: string) => {
        return inputs[input] ?? action.inputs[input]?.default ?? '';
      }),
    ]);
    const ran = await bash(run, {
      ...Object.fromEntries(own),
      GITHUB_ACTION_PATH: join(root, 'deploy/github'),
      GITHUB_STEP_SUMMARY: summaryFile,
    });
    out += ran.out;
    code = ran.code;
    if (code !== 0) break;
  }
  return { code, out, summary: existsSync(summaryFile) ? readFileSync(summaryFile, 'utf8') : '' };
}

describe('deploy/github/action.yml', () => {
  test('is a composite action that puts no input into a script', () => {
    expect(action.runs.using).toBe('composite');
    expect(action.runs.steps.filter(({ run }) => run?.includes('${{'))).toEqual([]);
    const named = action.runs.steps.flatMap(({ env = {} }) =>
      Object.values(env).map((text) => /inputs\.([a-z-]+)/.exec(text)?.[1]),
    );
    expect(new Set(named)).toEqual(new Set(Object.keys(action.inputs)));
  });

  test('fails with annotations and a summary if a client cannot use an image', async () => {
    const images = `${host}/sample/oci\n  ${host}/sample/schema2\n`;
    const inputs = {
      images,
      clients: 'docker-1.13,docker-20.10',
      'with-proxy': 'true',
      'plain-http': 'true',
    };
    const { code, out, summary } = await runAction(inputs);
    expect(code).toBe(1);
    expect(out.match(/^::error /gm)).toHaveLength(1);
    expect(out).toMatch(
      /^::error title=Docker 1\.10–18\.03 cannot use .*%3A\d+\/sample\/oci::.*With regshift: good/m,
    );
    expect(summary.match(/✅/g)).toHaveLength(3);
    expect(summary.match(/❌/g)).toHaveLength(1);
  });

  test('succeeds if all can, with the clients of its defaults', async () => {
    const { code, out } = await runAction({ images: `${host}/sample/schema2` });
    expect(out).toContain('4 verdicts, all good.');
    expect(code).toBe(0);
  });

  test('an image that looks like an option or a pattern stays a name', async () => {
    const { code, out } = await runAction({ images: '--json *' });
    expect(code).toBe(2);
    expect(out).toContain('"--json" is not an image name');
    // The script runs in a folder with files.
    expect((await runAction({ images: '*' })).out).toContain('"*" is not an image name');
  });
});

describe('deploy/gitlab/regshift-check.yml', () => {
  test('clones the project, with no other variables than those of the example', () => {
    expect(template?.variables.REGSHIFT_CHECK_SOURCE).toBe(projectAddress());
  });

  test('checks with the login of the project, and fails with the command', async () => {
    const login = await startLoginRegistry('Basic');
    const cwd = join(folder, 'gitlab');
    mkdirSync(cwd);
    symlinkSync(root, join(cwd, 'regshift-source'));
    const { host: own } = new URL(login.url);
    const script = [...(template?.before_script ?? []), ...(template?.script ?? [])].join('\n');
    const env = {
      ...template?.variables,
      REGSHIFT_CHECK_IMAGES: `${own}/sample/oci`,
      CI_REGISTRY: own,
      CI_REGISTRY_USER: 'ci',
      CI_REGISTRY_PASSWORD: 'right',
    };
    try {
      const failed = await bash(script, env, cwd);
      expect(failed.out).toContain('it prints: missing signature key');
      expect(failed.code).toBe(1);
      const good = await bash(script, { ...env, REGSHIFT_CHECK_CLIENTS: 'containerd-2' }, cwd);
      expect(good).toMatchObject({ code: 0, out: expect.stringContaining('1 verdict, all good.') });
    } finally {
      await login.stop();
    }
  });
});
