import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage } from '../support/installed-package.ts';
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

  it.each(['regshift', 'regshift/converters'])('loads %s by import and by require', async (entry) => {
    const names = (how: string) => `Object.keys(${how}('${entry}')).join()`;
    const line = `node --eval "(async () => console.log(${names('await import')} === ${names('require')}))()"`;
    expect(await runLine(line, { cwd: folder })).toMatchObject({ code: 0, out: 'true\n' });
  });

  it('has a package.json that publint approves', async () => {
    const pkgDir = join(folder, 'node_modules/regshift');
    expect((await publint({ pkgDir, pack: false, strict: true })).messages).toEqual([]);
  });
});
