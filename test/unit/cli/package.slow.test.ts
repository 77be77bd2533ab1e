import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { version } from '../../../src/version.ts';
import { freePort } from '../../support/daemon.ts';
import { brokenLinks } from '../../support/docs/links.ts';
import { installPackage } from '../../support/installed-package.ts';
import { findOldNode, systemPath } from '../../support/old-node.ts';
import { type SampleServer, startSampleServer } from '../../support/sample-server.ts';
import { type RunningLine, runLine, startLine } from '../../support/shell.ts';
import { testSigningKey } from '../../support/signing-key.ts';
import { projectRoot, quietWrangler } from '../../support/wrangler.ts';

/** The parts of a clone that running needs. */
const sources = [
  '.npmrc',
  'converters',
  'src',
  'deploy',
  'package.json',
  'tsconfig.json',
  'wrangler.toml',
  'README.md',
];

/** Makes a clone like that after `npm ci`, which CI runs first. */
function cloneInto(folder: string): string {
  const clone = join(folder, 'clone');
  for (const name of sources) cpSync(join(projectRoot, name), join(clone, name), { recursive: true });
  symlinkSync(realpathSync(join(projectRoot, 'node_modules')), join(clone, 'node_modules'));
  return clone;
}

interface Block {
  readonly language: string;
  readonly lines: readonly string[];
}

/** Returns the code blocks of a page, or of one of its sections. */
function blocksOf(file: string, section?: string): Block[] {
  const page = readFileSync(join(projectRoot, file), 'utf8');
  const text =
    section === undefined ? page : page.split(/^## /m).find((each) => each.startsWith(`${section}\n`));
  return [...(text ?? '').matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', content = '']) => ({
      language,
      lines: content.trimEnd().split('\n'),
    }),
  );
}

let folder: string;
let clone: string;
let files: string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'regshift-package-'));
  clone = cloneInto(folder);
  files = await installPackage(folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000);

describe('the npm package', () => {
  it('has the program and its documents, and nothing else', () => {
    const others = files.filter(
      (path) =>
        !/^(?:(?:bin|lib)\/[\w-]+\.js|types\/(?:converters\/[\w/-]+|src\/config\/problem|src\/runtime\/(?:web\/(?:index|embedded-app|app-settings)|worker\/entry))\.d\.ts|docs\/[\w-]+\.md)$/.test(
          path,
        ),
    );
    expect(others.toSorted()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'THIRD-PARTY.md',
      'converters/README.md',
      'deploy/regshift.schema.json',
      'package.json',
      'sbom.cdx.json',
    ]);
    expect(files).toContain('docs/errors.md');
    expect(files).toContain('bin/start.js');
  });

  it('has documents whose links lead into the package, or to the public address', () => {
    const own = join(folder, 'node_modules/regshift');
    // Texts of licences have links of their own projects.
    const pages = files.filter((path) => path.endsWith('.md') && path !== 'THIRD-PARTY.md');
    const texts = new Map(pages.map((path) => [path, readFileSync(join(own, path), 'utf8')]));
    expect(texts.size).toBeGreaterThan(20);
    expect(brokenLinks(texts, (path) => files.includes(path))).toEqual([]);
  });

  it('needs no other package', () => {
    const installed = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(installed).toEqual(['regshift']);
  });

  it('keeps compiled code for its next start', async () => {
    const TMPDIR = mkdtempSync(join(folder, 'temporary-'));
    const env = { TMPDIR, HOME: '', XDG_CACHE_HOME: '' };
    await runLine('node node_modules/regshift/bin/start.js --version', { cwd: folder, env });
    expect(readdirSync(TMPDIR)).toEqual([`regshift-${process.getuid?.()}`]);
  });

  it('brings the command', async () => {
    expect(await runLine('npx regshift --version', { cwd: folder })).toMatchObject({
      code: 0,
      out: `${version}\n`,
    });
  });

  it('converts by the command', async () => {
    const golden = join(projectRoot, 'test/golden/schema1/one-layer');
    const line = `npx regshift convert ${golden}/manifest.json --to oci --json --out converted.json`;
    const { code, out } = await runLine(line, { cwd: folder });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ form: 'oci', losses: [] });
  });

  it('starts with each setting that has a file of its own', async () => {
    const [port, metricsPort] = [await freePort(), await freePort()];
    writeFileSync(join(folder, 'routes.yaml'), 'routes:\n  - upstream: sample\n');
    const env = {
      PORT: String(port),
      REGSHIFT_METRICS_PORT: String(metricsPort),
      REGSHIFT_CONFIG: 'routes.yaml',
      REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
      // Nothing listens there.
      REGSHIFT_REDIS_URL: 'redis://127.0.0.1:1',
      REGSHIFT_STORE: 's3://bucket/prefix?region=eu-west-1&endpoint=http://127.0.0.1:1',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'key',
    };
    const line = 'node node_modules/regshift/bin/start.js serve';
    const running = await startLine(line, /"regshift serves"/, { cwd: folder, env });
    try {
      expect(running.printed()).toContain('"Redis is away: going on without it"');
      const textOf = async (url: string) => (await fetch(url, { headers: { Accept: 'text/html' } })).text();
      expect(await textOf(`http://127.0.0.1:${port}/`)).toContain('<!doctype html>');
      expect(await textOf(`http://127.0.0.1:${metricsPort}/metrics`)).toContain('regshift_build_info');
      expect(await textOf(`http://127.0.0.1:${metricsPort}/`)).toContain('<!doctype html>');
    } finally {
      await running.stop();
    }
  });

  it('reads standard input, and ends without error if its reader stops', async () => {
    const golden = join(projectRoot, 'test/golden/schema1/one-layer/manifest.json');
    const line = `npx regshift convert - --to schema2 < ${golden} | npx regshift convert - --to oci | npx regshift verify -`;
    expect(await runLine(line, { cwd: folder })).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^- is oci, /),
    });
    const unread = await runLine('node_modules/.bin/regshift --help | (exec <&-; sleep 1)', { cwd: folder });
    expect(unread).toEqual({ code: 0, out: '', err: '' });
  });

  it('compares passwords on a thread', async () => {
    const env = {
      PORT: '0',
      REGSHIFT_UPSTREAM_AUTH: 'anonymous',
      REGSHIFT_CLIENT_AUTH: 'basic',
      REGSHIFT_HTPASSWD: 'alice:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq',
    };
    const ready = /on (http:[^,\s]+), because/;
    const serving = await startLine('npx regshift serve', ready, {
      cwd: folder,
      env: { ...env, LOG_FORMAT: 'text' },
    });
    try {
      const [, url] = ready.exec(serving.printed()) ?? [];
      const statuses = ['alice:secret', 'alice:wrong', 'bob:secret'].map(async (login) => {
        const headers = { authorization: `Basic ${btoa(login)}` };
        return (await fetch(`${url}/v2/`, { headers })).status;
      });
      expect(await Promise.all(statuses)).toEqual([200, 401, 401]);
    } finally {
      await serving.stop();
    }
  }, 60_000);

  it('names its own command at the start, and ends when npx gets SIGTERM', async () => {
    const env = { PORT: '0', LOG_FORMAT: 'text', REGSHIFT_SHUTDOWN_GRACE: '0' };
    const line = 'exec npx regshift serve --upstream sample';
    const { printed, terminate, stop } = await startLine(line, /registry\.example\n/, { cwd: folder, env });
    try {
      expect(printed()).toContain('because its upstream is sample.');
      expect(printed()).toContain('registry: npx regshift serve --upstream https://registry.example\n');
      expect(await terminate()).toBe(true);
    } finally {
      await stop();
    }
  }, 60_000);

  it('loads what settings ask for: a file in YAML, the page, and metrics', async () => {
    const metrics = await freePort();
    writeFileSync(join(folder, 'regshift.yaml'), `upstream: sample\nmetricsPort: ${metrics}\npage: status\n`);
    const ready = /on (http:[^,\s]+), because/;
    const env = { PORT: '0', REGSHIFT_CONFIG: 'regshift.yaml', LOG_FORMAT: 'text' };
    const serving = await startLine('npx regshift serve', ready, { cwd: folder, env });
    try {
      const [, url] = ready.exec(serving.printed()) ?? [];
      const page = await fetch(`${url}/`, { headers: { accept: 'text/html' } });
      expect(await page.text()).toMatch(/^<!doctype html>/i);
      expect(await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()).toContain('regshift_');
    } finally {
      await serving.stop();
    }
  }, 60_000);

  it('can be imported, with its types', async () => {
    const program = `import { convert, type Converted, readManifest } from 'regshift/converters';
const bytes = new TextEncoder().encode('{"schemaVersion":2,"manifests":[]}');
const missing = async () => { throw new Error('not asked for'); };
const ports = { fetchManifest: missing, fetchBlob: missing, sniffLayer: missing, layerFacts: missing, signingKey: missing };
const made: Promise<Converted> = convert(readManifest(bytes), 'schema1', { ports, name: 'a/b', tag: '1', unpackZstd: false });
made.catch((error: { code?: string }) => console.log(error.code));
export const push = async () => fetch('/manifests/1', { method: 'PUT', body: (await made).body });
`;
    writeFileSync(join(folder, 'program.mts'), program);
    const compiler = join(projectRoot, 'node_modules/.bin/tsc');
    const flags =
      '--module nodenext --target es2024 --strict --skipLibCheck --types "" --lib es2024,dom,esnext.disposable';
    expect(await runLine(`${compiler} ${flags} program.mts`, { cwd: folder })).toMatchObject({
      code: 0,
      out: '',
    });
    expect(await runLine('node program.mjs', { cwd: folder })).toMatchObject({
      code: 0,
      out: 'INEXPRESSIBLE\n',
    });
  });
});

const linesOf = (file: string, section?: string) =>
  blocksOf(file, section).flatMap(({ language, lines }) => (language === 'sh' ? lines : []));

/** The PATH of a shell outside of npm whose Node is the one of this process. */
const newerPath = [dirname(process.execPath), systemPath].join(delimiter);
const old = findOldNode();
const { engines } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  readonly engines: { readonly node: string };
};
const oldSentence =
  `regshift needs Node ${engines.node.slice(2)} or newer; this is ${old?.version}. Install a newer Node, or run regshift ` +
  'in a container; in a clone, "npm ci" installs a newer Node for "npm start" and "npx regshift".\n';

describe('the ways to start of README.md', () => {
  let samples: SampleServer;
  beforeAll(async () => {
    samples = await startSampleServer();
  });
  afterAll(() => samples?.stop());

  const [container = '', npx = '', ownClone = '', restart, pull, sampleClone = ''] = linesOf(
    'README.md',
    'Start it',
  );

  /** A line for this machine: its registry, a free port of the loopback address, and `npm ci` done before. */
  const here = (line: string) =>
    line
      .replace('npm ci && ', '')
      .replace('0.0.0.0', '127.0.0.1')
      .replace('http://192.0.2.10:5000', samples.url);

  it('are three, and those for the old machine and for the samples', () => {
    const registry = 'http://192.0.2.10:5000';
    expect({ npx, ownClone, restart, pull, sampleClone }).toEqual({
      npx: `npx regshift serve --host 0.0.0.0 --upstream ${registry}`,
      ownClone: `npm ci && HOST=0.0.0.0 REGSHIFT_UPSTREAM=${registry} npm start`,
      restart: 'systemctl restart docker',
      pull: 'docker pull 192.0.2.7:8080/team/app:1.0',
      sampleClone: 'npm ci && npm start',
    });
    const [, file = '', port] =
      /^docker build -t regshift -f (\S+) \. && docker run .*-p (\d+):\2 -e REGSHIFT_UPSTREAM=http:\S+ regshift$/.exec(
        container,
      ) ?? [];
    expect(readFileSync(join(projectRoot, file), 'utf8')).toContain(`PORT=${port}\n`);
  });

  describe.each([
    ["the machine's own Node", systemPath],
    ['Node 24', newerPath],
  ])('with %s', (_, path) => {
    // The text of the start is for terminals, unless it is asked for.
    const env = { PATH: path, PORT: '0', LOG_FORMAT: 'text' };
    const isOld = old !== undefined && path === systemPath;

    async function serves(line: string, cwd: string, ready: RegExp, image: string): Promise<void> {
      const running = await startLine(here(line), ready, { cwd, env });
      try {
        const [, url] = /on (http:[^,\s]+)/.exec(running.printed()) ?? [];
        expect((await fetch(`${url}/v2/sample/${image}/manifests/latest`)).status).toBe(200);
      } finally {
        await running.stop();
      }
    }

    it('a clone serves your registry', () =>
      serves(ownClone, clone, /regshift serves http\S+ on \S+\n/, 'oci'));

    it('a clone serves samples, and prints requests that succeed', async () => {
      const running = await startLine(here(sampleClone), /npm start\n/, { cwd: clone, env });
      try {
        const requests = [...running.printed().matchAll(/curl -i -H '([^:]+): ?([^']*)' (\S+)/g)];
        expect(requests).toHaveLength(2);
        for (const [, name = '', value = '', url = ''] of requests) {
          expect((await fetch(url, { headers: { [name]: value } })).status).toBe(200);
        }
      } finally {
        await running.stop();
      }
    });

    it.skipIf(isOld)('the package serves your registry', () =>
      serves(npx, folder, /regshift serves http\S+ on \S+\n/, 'oci'),
    );

    it.runIf(isOld)('the package says which Node it needs, and nothing else', async () => {
      const told = { code: 78, out: '', err: oldSentence };
      expect(await runLine(here(npx), { cwd: folder, env })).toEqual(told);
      const program = 'node node_modules/regshift/bin/start.js --version';
      expect(await runLine(program, { cwd: folder, env })).toEqual(told);
    });

    it('npx regshift in a clone runs the sources', async () => {
      const { code, out, err } = await runLine('npx regshift --version', { cwd: clone, env });
      expect({ code, out, err }).toEqual({ code: 0, out: `${version}\n`, err: '' });
    });
  });

  it('npm run dev:worker serves on workerd', async () => {
    const env = Object.fromEntries(
      Object.entries(quietWrangler(join(folder, 'wrangler'))).filter(
        (each): each is [string, string] => each[1] !== undefined,
      ),
    );
    const ready = /Ready on (http:\/\/\S+)/;
    const worker = await startLine('npm run dev:worker', ready, { cwd: clone, env });
    try {
      const [, url = ''] = ready.exec(worker.printed()) ?? [];
      expect((await fetch(`${url}/v2/sample/oci/manifests/latest`)).status).toBe(200);
    } finally {
      await worker.stop();
    }
  }, 120_000);
});

describe('the commands of docs/tour.md', () => {
  let running: RunningLine;
  let samples: SampleServer;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    samples = await startSampleServer();
    running = await startLine('npm start', /npm start\n/, {
      cwd: clone,
      env: { PORT: String(port), LOG_FORMAT: 'text' },
    });
  }, 120_000);
  afterAll(async () => {
    await running?.stop();
    await samples?.stop();
  });

  /** Replaces the ports of the page, which may be in use. */
  const here = (text: string) =>
    text
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`)
      .replaceAll('127.0.0.1:5000', new URL(samples.url).host);

  // The package brings the command in place of the clone.
  const [ofClone, scratch, ...commands] = linesOf('docs/tour.md');

  it('are all of these', () => {
    expect([ofClone, scratch]).toEqual(['export PATH="$PWD/node_modules/.bin:$PATH"', 'cd "$(mktemp -d)"']);
    const named = commands.flatMap((line) => /(?:^| )regshift ([a-z-]+)/.exec(line)?.[1] ?? []);
    expect(named.toSorted()).toEqual([
      'check',
      'check-config',
      'convert',
      'explain',
      'inspect',
      'keygen',
      'save',
      'verify',
      'warm',
    ]);
  });

  // The order is that of the page: commands read files that earlier commands write. test/unit/tour.test.ts has
  // the output, which is that of a terminal.
  test.each(commands)('%s', async (line) => {
    const [, file, url] = /^curl -so (\S+) (\S+)$/.exec(line) ?? [];
    if (file && url) {
      // The tests need no curl.
      writeFileSync(join(folder, file), new Uint8Array(await (await fetch(here(url))).arrayBuffer()));
      return;
    }
    const PATH = [join(folder, 'node_modules/.bin'), process.env.PATH].join(delimiter);
    const env = { DOCKER_CONFIG: folder, PATH };
    const { code, out, err } = await runLine(here(line), { cwd: folder, env });
    // The page says that one of the clients cannot use the image.
    const expected = line.includes('regshift check ') ? 1 : 0;
    expect({ code, err: code === expected ? '' : err }).toEqual({ code: expected, err: '' });
    expect(out).not.toBe('');
  });
});
