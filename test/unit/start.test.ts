import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { regshift } from '../support/cli.ts';
import { listen } from '../support/listen.ts';
import { startArguments } from '../support/node-process.ts';
import { findOldNode } from '../support/old-node.ts';
import { projectRoot } from '../support/wrangler.ts';

const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  readonly engines: { readonly node: string };
};

/** Runs a program to its end, with these variables and no others. */
function run(program: string, argv: readonly string[], env: Record<string, string> = {}) {
  return new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    const options = { cwd: projectRoot, env: { PATH: process.env.PATH, ...env }, timeout: 20_000 };
    execFile(program, argv, options, (error, out, err) =>
      resolve({ code: error ? error.code : 0, out, err }),
    );
  });
}

/** Runs `serve` in this process. */
async function start(env: Record<string, string>) {
  const { code, out, err } = await regshift(['serve'], { env: { LOG_LEVEL: 'error', ...env } });
  return { code, out, err };
}

describe('a Node that is too old', () => {
  const [, oldest = ''] = /^>=(\d+\.\d+)$/.exec(manifest.engines.node) ?? [];
  const sentence = (version: string) =>
    `regshift needs Node ${oldest} or newer; this is ${version}. Install a newer Node, or run regshift in a ` +
    'container; in a clone, "npm ci" installs a newer Node for "npm start" and "npx regshift".\n';

  it.each(['20.20.2', '22.17.1', '9.0.0'])(
    '%s gets the version that is needed, the ways to get one, and the exit code 78',
    async (version) => {
      const pretend = `Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`;
      const argv = [
        '--import',
        `data:text/javascript,${encodeURIComponent(pretend)}`,
        'src/start.js',
        'serve',
      ];
      expect(await run(process.execPath, argv)).toEqual({ code: 78, out: '', err: sentence(version) });
    },
  );

  const old = findOldNode();
  it.skipIf(old === undefined).each([
    ['the systemd unit and npm start', startArguments()],
    ['the CI templates', ['src/start.js', 'check', '--help']],
    ['npx regshift in a clone', ['deploy/dev-node/regshift.js', '--version']],
  ])("the machine's own Node gets it by %s", async (_, argv) => {
    expect(await run(old?.path ?? '', argv)).toEqual({
      code: 78,
      out: '',
      err: sentence(old?.version ?? ''),
    });
  });

  it('stops the systemd unit for good', () => {
    const unit = readFileSync(join(projectRoot, 'deploy/systemd/regshift.service'), 'utf8');
    expect(unit).toMatch(/^RestartPreventExitStatus=2 78$/m);
  });
});

describe('a start that cannot be', () => {
  it('asks for the registry in production, and names both ways on', async () => {
    expect(await start({ NODE_ENV: 'production', UPSTREAM: 'https://registry.example' })).toEqual({
      code: 2,
      out: '',
      err:
        'regshift cannot start with these settings:\n' +
        'REGSHIFT_UPSTREAM is not set: it must be the URL of your registry, like https://registry.example, because ' +
        'NODE_ENV is production. For the built-in sample registry, set REGSHIFT_UPSTREAM=sample\n' +
        'warning: UPSTREAM is not a setting of regshift: did you mean REGSHIFT_UPSTREAM?\n',
    });
  });

  it('names every problem, those of the keys and certificates too, and the path that is missing', async () => {
    const wrong = {
      REGSHIFT_UPSTREAM: 'registry.example',
      REGSHIFT_FROMAT: 'oci',
      REGSHIFT_SIGNING_KEY: '/etc/regshift-of-nobody/key',
      REGSHIFT_TLS_CERT: '/etc/regshift-of-nobody/tls.pem',
      REGSHIFT_TLS_KEY: '/etc/regshift-of-nobody/tls.key',
      REGSHIFT_UPSTREAM_CERT: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      REGSHIFT_UPSTREAM_KEY: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----',
      HTTPS_PROXY: 'socks5://proxy.example',
    };
    const pem = 'must be PEM, or a path to a file that can be read';
    expect(await start(wrong)).toEqual({
      code: 2,
      out: '',
      err: `regshift cannot start with these settings:
REGSHIFT_UPSTREAM is "registry.example": it must be a URL that begins with http:// or https://, like https://registry.example
REGSHIFT_FROMAT is not a setting: did you mean REGSHIFT_FORMAT?
HTTPS_PROXY is "socks5://proxy.example": it must be the URL of an HTTP proxy, like http://proxy.example:3128
REGSHIFT_UPSTREAM_CERT cannot be used: it must be a certificate in PEM, with its own key, which is not encrypted
REGSHIFT_SIGNING_KEY is neither a key nor a path to a readable file: /etc/regshift-of-nobody/key does not exist (ENOENT)
REGSHIFT_TLS_CERT ${pem}: /etc/regshift-of-nobody/tls.pem does not exist (ENOENT)
REGSHIFT_TLS_KEY ${pem}: /etc/regshift-of-nobody/tls.key does not exist (ENOENT)
`,
    });
  });

  it('names PORT for a port in use, and the program that holds it', async () => {
    const { port, stop } = await listen(createServer());
    onTestFinished(stop);
    const by = process.platform === 'linux' ? `node (process ${process.pid})` : 'another program';
    const { code, err } = await start({ PORT: String(port) });
    expect({ code, err }).toEqual({
      code: 1,
      err:
        `regshift cannot start: port ${port} of 127.0.0.1 is in use by ${by}: end that program, or set PORT to a ` +
        `free port, like PORT=${port + 1}\n`,
    });
    const metrics = await start({ PORT: '0', REGSHIFT_METRICS_PORT: String(port) });
    expect(metrics.err).toContain(`or set REGSHIFT_METRICS_PORT to a free port`);
    const routes = [
      { upstream: 'sample', match: { path: 'a/' } },
      { upstream: 'sample', match: { port } },
    ];
    const route = await start({ PORT: '0', REGSHIFT_CONFIG: JSON.stringify({ routes }) });
    expect(route.err).toMatch(/or set match\.port of the route to a free port\n$/);
  });

  it.runIf(process.platform === 'linux')(
    'tells that a connection has a port where no program listens',
    async () => {
      const { port, stop } = await listen(createServer());
      onTestFinished(stop);
      const connection = connect({ port, host: '127.0.0.1' });
      onTestFinished(() => void connection.destroy());
      await once(connection, 'connect');
      const { localPort = 0 } = connection;
      const { code, err } = await start({ PORT: String(localPort) });
      expect(code).toBe(1);
      expect(err).toMatch(
        new RegExp(
          `^regshift cannot start: port ${localPort} of 127\\.0\\.0\\.1 is in use by a connection, and no program listens ` +
            'there: the system gives the ports \\d+ to \\d+ to outgoing connections\\. Start again in a minute, or set PORT ' +
            'to another port\\n$',
        ),
      );
    },
  );

  it('names HOST for an address that the machine does not have', async () => {
    const { code, err } = await start({ HOST: '192.0.2.1' });
    expect({ code, err }).toEqual({
      code: 1,
      err:
        'regshift cannot start: HOST is 192.0.2.1, which is no address of this machine: set HOST to one of its own, ' +
        'or to 0.0.0.0 for all (EADDRNOTAVAIL)\n',
    });
  });
});
