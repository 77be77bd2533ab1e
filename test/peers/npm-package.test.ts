import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { installPackage } from '../support/installed-package.ts';
import { startArguments, startNodeProcess } from '../support/node-process.ts';
import { requirePeers } from '../support/programs.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { runLine } from '../support/shell.ts';
import { projectRoot } from '../support/wrangler.ts';

const program = `import { convert, digestOf, readManifest, verifySchema1, type Converted, type Digest } from 'regshift/converters';
import { createApp, SettingsError, type AppOptions, type AppSettings, type EmbeddedApp } from 'regshift';
import worker from 'regshift/worker';
const settings: AppSettings = { REGSHIFT_UPSTREAM: 'sample', REGSHIFT_FORMAT: 'schema1', REGSHIFT_TAG_TTL: 60 };
const options: AppOptions = { fetch, writeLog: (line) => void line.length };
const app: EmbeddedApp = createApp(settings, options);
const respond = async (request: Request, env: { readonly RECIPES: object }): Promise<Response> =>
  app.handles(request) ? app.fetch(request, { clientAddress: '192.0.2.1' }) : worker.fetch(request, env);
const bytes: Uint8Array = new TextEncoder().encode('{"schemaVersion":2,"manifests":[]}');
const digest: Digest = digestOf(bytes);
const done: Promise<Converted> | undefined = undefined;
export { convert, digest, respond, SettingsError, done, readManifest, verifySchema1 };
`;

/**
 * The oldest compiler that reads the package's types, and the project's own. TypeScript before 5.8 knows no `require` of
 * an ES module.
 */
const compilers = [
  ['5.4', 'test/peers/node_modules/typescript/bin/tsc', ['module.mts']],
  ['of the project', 'node_modules/typescript/bin/tsc', ['module.mts', 'common.cts']],
] as const;

const options = {
  target: 'es2022',
  lib: ['es2023', 'dom'],
  module: 'nodenext',
  strict: true,
  noEmit: true,
  types: [],
  // The compiler reads all of the package's types, and not only what the program uses.
  skipLibCheck: false,
};

describe('the npm package', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regshift-types-'));
    await installPackage(folder);
    for (const name of ['module.mts', 'common.cts']) await writeFile(join(folder, name), program);
  }, 240_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(compilers)(
    'has types without an error for TypeScript %s',
    async (_, compiler, files) => {
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
      const line = `node ${join(projectRoot, compiler)} -p .`;
      expect(await runLine(line, { cwd: folder })).toMatchObject({ code: 0, out: '' });
    },
    60_000,
  );

  it('is a folder without other packages', async () => {
    expect((await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual([
      'regshift',
    ]);
  });

  it('runs the command', async () => {
    const golden = join(projectRoot, 'test/golden/schema1/one-layer/manifest.json');
    const line = `node_modules/.bin/regshift convert ${golden} --to oci --json --out converted.json`;
    const { code, out } = await runLine(line, { cwd: folder });
    expect({ code, ...JSON.parse(out) }).toMatchObject({ code: 0, form: 'oci' });
  });

  it.each(['regshift', 'regshift/converters'])('loads %s by import and by require', async (entry) => {
    const names = (how: string) => `Object.keys(${how}('${entry}')).join()`;
    const line = `node --eval "(async () => console.log(${names('await import')} === ${names('require')}))()"`;
    expect(await runLine(line, { cwd: folder })).toMatchObject({ code: 0, out: 'true\n' });
  });

  it.skipIf(requirePeers('redis-server'))('shares its cache by a Redis', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const variables = { REGSHIFT_UPSTREAM: 'sample', REGSHIFT_REDIS_URL: redis.url };
    const program = join(folder, 'node_modules/regshift/bin/start.js');
    const { port, stop } = await startNodeProcess(variables, 25, undefined, startArguments(program));
    onTestFinished(stop);
    const headers = { accept: 'application/vnd.docker.distribution.manifest.v2+json' };
    const answer = await fetch(`http://127.0.0.1:${port}/v2/sample/oci/manifests/latest`, { headers });
    expect(answer.headers.get('content-type')).toBe(headers.accept);
    const client = createClient({ url: redis.url, RESP: 2 });
    onTestFinished(() => client.destroy());
    await client.connect();
    await expect.poll(() => client.dbSize()).toBeGreaterThan(0);
  });

  it('has a package.json that publint approves', async () => {
    const pkgDir = join(folder, 'node_modules/regshift');
    expect((await publint({ pkgDir, pack: false, strict: true })).messages).toEqual([]);
  });

  it('has types that fit its files, for each way to find them that reads `exports`', async () => {
    const [archive = ''] = await readdir(join(folder, 'packed'));
    // The package has ES modules alone. The profile leaves out the rule of Node 10, which knows no `exports`.
    const attw = join(projectRoot, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    const line = `node ${attw} packed/${archive} --profile esm-only --no-color --no-emoji`;
    const { code, out } = await runLine(line, { cwd: folder });
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('"regshift/converters"') });
  }, 60_000);
});
