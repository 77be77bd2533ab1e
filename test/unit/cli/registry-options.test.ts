import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createSampleRegistry } from '../../../src/sample-registry/registry.ts';
import { makeAuthority } from '../../support/certificate-authority.ts';
import { regshift, temporaryFolder } from '../../support/cli.ts';
import { listen } from '../../support/listen.ts';
import { startLoginRegistry } from '../../support/login-registry.ts';
import { startSampleServer } from '../../support/sample-server.ts';
import { projectRoot } from '../../support/wrangler.ts';

it.each(['Basic', 'Bearer'] as const)('--creds is the login for a registry with %s', async (scheme) => {
  const registry = await startLoginRegistry(scheme);
  onTestFinished(() => registry.stop());
  const image = `${new URL(registry.url).host}/sample/oci`;
  expect((await regshift(['inspect', image, '--creds', 'me:right'])).code).toBe(0);
  const wrong = await regshift(['inspect', image, '--creds', 'me:wrong-password']);
  expect(wrong.code).toBe(1);
  expect(wrong.err).toContain(
    scheme === 'Basic'
      ? 'The registry refused the login that --creds gave for the user "me". Check the user name and the password.'
      : 'The login is that of --creds, for the user "me".',
  );
  expect(wrong.err).not.toMatch(/wrong-password|proxy|docker login/);
});

it('a login that --creds gave and the registry refused is named by check, too', async () => {
  const registry = await startLoginRegistry('Basic');
  onTestFinished(() => registry.stop());
  const image = `${new URL(registry.url).host}/sample/oci`;
  const { code, out } = await regshift(['check', image, '--creds', 'me:wrong-password']);
  expect(code).toBe(1);
  expect(out).toContain('refused the login that --creds gave for the user "me".');
});

it.each(['Basic', 'Bearer'] as const)('warm names such a login once, with %s', async (scheme) => {
  const registry = await startLoginRegistry(scheme);
  onTestFinished(() => registry.stop());
  const argv = ['warm', 'sample/oci', '--all-tags', '--for', 'docker-1.13', '--proxy', registry.url];
  const { code, out, err } = await regshift([...argv, '--creds', 'me:wrong-password']);
  expect(code).toBe(1);
  expect(`${out}${err}`.match(/for the user "me"/g)).toHaveLength(1);
});

it('--verbose prints requests, without logins and queries', async () => {
  const registry = await startLoginRegistry('Bearer');
  onTestFinished(() => registry.stop());
  const image = `${new URL(registry.url).host}/sample/oci`;
  const { code, err, out } = await regshift(['verify', image, '--creds', 'me:right', '--verbose']);
  expect(code).toBe(0);
  expect(err).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/auth\?…: 200 application\/json.*, \d+ ms$/m);
  expect(err).toMatch(/^(?:GET|HEAD) http:\S+\/v2\/sample\/oci\/manifests\/latest: 401/m);
  expect(err).not.toMatch(/right|given-|scope=/);
  expect(out).not.toContain('ms');
});

it('--ca and --tls-verify=false are for the certificate; without them, the error names them', async () => {
  const folder = temporaryFolder();
  const authority = makeAuthority(folder, 'authority');
  const { cert, key } = authority.issue('registry', 'IP:127.0.0.1');
  const samples = createSampleRegistry();
  const server = createTlsServer({ cert, key }, async ({ method = 'GET', url = '/', headers }, response) => {
    const accept = headers.accept ?? '*/*';
    const answer = await samples.fetch(`http://sample.test${url}`, { method, headers: { accept } });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  });
  const { host, stop } = await listen(server);
  onTestFinished(() => stop());
  const argv = ['verify', `https://${host}/sample/oci`];
  const untrusted = await regshift(argv);
  expect(untrusted.code).toBe(1);
  expect(untrusted.err).toContain(
    `${host}: its certificate is not trusted: name its authority with --ca, or use --tls-verify=false.`,
  );
  expect(await regshift([...argv, '--ca', authority.file])).toMatchObject({ code: 0, err: '' });
  expect(await regshift([...argv, '--tls-verify=false'])).toMatchObject({ code: 0, err: '' });
  // The settings of the way to a registry are read by commands, too.
  expect(await regshift(argv, { env: { REGSHIFT_UPSTREAM_CA: authority.file } })).toMatchObject({ code: 0 });
});

it('https at a registry with plain HTTP: the error says what to use', async () => {
  const registry = await startSampleServer();
  onTestFinished(() => registry.stop());
  const { host } = new URL(registry.url);
  const argv = ['inspect', `https://${host}/sample/oci`];
  const { code, err } = await regshift(argv);
  expect(code).toBe(1);
  expect(err).toBe(`regshift: ${host}: this registry speaks plain HTTP: use http:// or --plain-http.\n`);
  // The option is for names without a scheme, so it is no remedy here.
  const again = await regshift([...argv, '--plain-http']);
  expect(again.err).toBe(`regshift: ${host}: this registry speaks plain HTTP: use http://.\n`);
});

describe('http at a registry with TLS: the error says what to use', () => {
  const refuse = (socket: NodeJS.WritableStream) =>
    socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  // The answers of Go, nginx and Apache, of Node, and of servers that send a TLS alert.
  const answers: readonly [string, (socket: NodeJS.WritableStream & { destroy(): void }) => void][] = [
    ['400', refuse],
    ['a closed connection', (socket) => socket.destroy()],
    ['an alert', (socket) => socket.end(Uint8Array.of(0x15, 3, 3, 0, 2, 2, 70))],
  ];

  /** A server that speaks TLS, and answers so to plain HTTP. */
  async function startTlsServer(toPlain: (typeof answers)[number][1]) {
    const { cert, key } = makeAuthority(temporaryFolder(), 'authority').issue('registry', 'IP:127.0.0.1');
    const secure = createTlsServer({ cert, key }, (_, response) => response.end('{}'));
    const { port, stop: stopSecure } = await listen(secure);
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (first) => {
        if (first[0] !== 0x16) return toPlain(socket);
        const inner = connect(port, '127.0.0.1').on('error', () => undefined);
        inner.write(first);
        socket.pipe(inner).pipe(socket);
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(async () => {
      server.close();
      await stopSecure();
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it.each(answers)('after %s', async (_, answer) => {
    const host = await startTlsServer(answer);
    const commands = [
      ['inspect', `http://${host}/app`],
      ['verify', `${host}/app`],
      ['check', `${host}/app`],
      ['warm', 'app', '--proxy', `http://${host}`, '--for', 'docker-1.13'],
      ['warm', 'app', '--proxy', `http://${host}`, '--for', 'docker-1.13', '--all-tags'],
    ];
    for (const argv of commands) {
      const { code, out, err } = await regshift(argv);
      expect(code).toBe(1);
      const server = argv[0] === 'warm' ? 'proxy' : 'registry';
      expect(out + err).toContain(`${host}: this ${server} speaks TLS: use https://.`);
    }
  });

  it('is not said of a registry that answers 400 and speaks plain HTTP', async () => {
    let requests = 0;
    const answer: RequestListener = (_, response) => {
      requests += 1;
      response.writeHead(400).end();
    };
    const { host, stop } = await listen(createServer(answer));
    onTestFinished(() => stop());
    const { code, err } = await regshift(['inspect', `http://${host}/app`]);
    expect({ code, err }).toEqual({
      code: 1,
      err: 'regshift: The registry answered 400 for the manifest latest of app.\n',
    });
    // The body of a GET may have the reason for the status of a HEAD.
    expect(requests).toBe(2);
  });
});

it('https at a proxy with plain HTTP: the error of warm says what to use', async () => {
  const proxy = await startSampleServer();
  onTestFinished(() => proxy.stop());
  const { host } = new URL(proxy.url);
  const { code, out } = await regshift([
    ...['warm', 'sample/oci', '--proxy', `https://${host}`, '--for', 'docker-24'],
  ]);
  expect(code).toBe(1);
  expect(out).toContain(`${host}: this proxy speaks plain HTTP: use http://.`);
});

it.each([
  ['inspect', ['inspect', 'http://registry.example/sample/oci', '--json']],
  ['warm', ['warm', 'sample/oci', '--proxy', 'http://registry.example', '--for', 'docker-24']],
])('%s goes through the outbound proxy of the environment', async (_, argv) => {
  const samples = createSampleRegistry();
  const requested: string[] = [];
  const proxy = createServer(async ({ method = 'GET', url = '/', headers }, response) => {
    requested.push(new URL(url).host);
    const accept = headers.accept ?? '*/*';
    const answer = await samples.fetch(url, { method, headers: { accept } });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  });
  const { url, stop } = await listen(proxy);
  onTestFinished(() => stop());
  vi.stubEnv('HTTP_PROXY', url);
  vi.stubEnv('NO_PROXY', '');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await regshift(argv)).toMatchObject({ code: 0 });
  expect(requested.length).toBeGreaterThan(0);
  expect(new Set(requested)).toEqual(new Set(['registry.example']));
});

describe('the login of a file', () => {
  const image = (url: string) => `${new URL(url).host}/sample/oci`;

  it.each([
    ['REGISTRY_AUTH_FILE', 'auth.json', (folder: string) => ({ REGISTRY_AUTH_FILE: `${folder}/auth.json` })],
    ['XDG_RUNTIME_DIR', 'containers/auth.json', (folder: string) => ({ XDG_RUNTIME_DIR: folder })],
    ['XDG_CONFIG_HOME', 'containers/auth.json', (folder: string) => ({ XDG_CONFIG_HOME: folder })],
    ['DOCKER_CONFIG', 'config.json', (folder: string) => ({ DOCKER_CONFIG: folder })],
  ])('is that of %s', async (_, name, env) => {
    const registry = await startLoginRegistry('Basic');
    onTestFinished(() => registry.stop());
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'containers'));
    const auths = { [new URL(registry.url).host]: { auth: btoa('me:right') } };
    writeFileSync(join(folder, name), JSON.stringify({ auths }));
    expect((await regshift(['inspect', image(registry.url)])).code).toBe(1);
    expect(await regshift(['inspect', image(registry.url)], { env: env(folder) })).toMatchObject({
      code: 0,
      err: '',
    });
  });

  it.each(['Basic', 'Bearer'] as const)('is named if the registry refuses it, with %s', async (scheme) => {
    const registry = await startLoginRegistry(scheme);
    onTestFinished(() => registry.stop());
    const file = join(temporaryFolder(), 'auth.json');
    const auths = { [new URL(registry.url).host]: { auth: btoa('me:wrong-password') } };
    writeFileSync(file, JSON.stringify({ auths }));
    const env = { REGISTRY_AUTH_FILE: file };
    const named =
      scheme === 'Basic'
        ? `refused the login of ${file}. Log in again, or give another login by --creds.`
        : `The login is that of ${file}.`;
    const at = image(registry.url);
    const { code, err } = await regshift(['inspect', at], { env });
    expect(code).toBe(1);
    expect(err).toContain(named);
    expect(err).not.toMatch(/wrong-password|Log in with/);
    const { out } = await regshift(['check', at, '127.0.0.1:1/app'], { env });
    expect(out.split(file)).toHaveLength(2);
    const warm = ['warm', 'sample/oci:latest', '--for', 'docker-1.13', '--proxy', registry.url];
    expect((await regshift(warm, { env })).out).toContain(file);
    const given = await regshift(['inspect', at, '--creds', 'me:wrong-password'], { env });
    expect(given.err).toContain('--creds');
    expect(given.err).not.toContain(file);
    const target = await regshift(['copy', at, `${at}-2:1`, '--creds', 'me:right'], { env });
    expect(target.err).toContain(named.replace('--creds', '--to-creds'));
  });

  it('is looked for on Windows, too, where users have no numbers', () => {
    const windows = ['--import', 'data:text/javascript,delete process.getuid'];
    const argv = [...windows, 'src/start.js', 'inspect', '127.0.0.1:1/app'];
    const { stderr } = spawnSync(process.execPath, argv, { cwd: projectRoot, encoding: 'utf8' });
    expect(stderr).toContain('127.0.0.1:1 failed (ECONNREFUSED');
  });

  it('is none in a folder that is closed to the user, as podman of root closes /run/containers', async () => {
    const registry = await startSampleServer();
    onTestFinished(() => registry.stop());
    const closed = join(temporaryFolder(), 'closed');
    mkdirSync(closed, { mode: 0 });
    onTestFinished(() => chmodSync(closed, 0o700));
    const inspect = (env: Record<string, string>) => regshift(['inspect', image(registry.url)], { env });
    // The first command loads the program, which the other user may not be able to read.
    expect((await inspect({})).code).toBe(0);
    if (process.geteuid?.() === 0) {
      process.seteuid?.(65_534);
      onTestFinished(() => void process.seteuid?.(0));
    }
    expect(await inspect({ XDG_RUNTIME_DIR: closed })).toMatchObject({ code: 0, err: '' });
    const file = join(closed, 'auth.json');
    expect(await inspect({ REGISTRY_AUTH_FILE: file })).toMatchObject({
      code: 1,
      err: `regshift: ${file}: permission denied\n`,
    });
  });

  it.each([
    ['REGISTRY_AUTH_FILE', 'auth.json', 'file', (folder: string) => `${folder}/auth.json`],
    ['XDG_RUNTIME_DIR', 'containers/auth.json', 'folder', (folder: string) => folder],
    ['DOCKER_CONFIG', 'config.json', 'folder', (folder: string) => folder],
  ])('that is damaged: the error names %s', async (variable, name, kind, value) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'containers'));
    writeFileSync(join(folder, name), '{');
    const { code, err } = await regshift(['inspect', '127.0.0.1:1/app'], {
      env: { [variable]: value(folder) },
    });
    expect([code, err]).toEqual([
      2,
      `regshift: ${folder}/${name} is not a configuration file of docker login. Fix it, or set ${variable} to another ${kind}.\n`,
    ]);
  });

  it('that is a folder, as of a mount without its file, is named', async () => {
    const file = join(temporaryFolder(), 'config.json');
    mkdirSync(file);
    const env = { DOCKER_CONFIG: join(file, '..') };
    expect(await regshift(['inspect', '127.0.0.1:1/app'], { env })).toMatchObject({
      code: 1,
      err: `regshift: ${file}: this is a folder, but a file is needed\n`,
    });
  });

  it.each([
    ['empty', 'empty'],
    ['below something that is no folder', 'empty/config'],
  ])('that is %s has no login', async (_, name) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'empty'), '\n');
    const env = { REGISTRY_AUTH_FILE: join(folder, name) };
    const { code, err } = await regshift(['inspect', '127.0.0.1:1/app'], { env });
    expect([code, err]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
  });

  it('is the next one, if a file has none for the registry', async () => {
    const registry = await startLoginRegistry('Basic');
    onTestFinished(() => registry.stop());
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'containers'));
    const login = (password: string) => ({ auth: btoa(`me:${password}`) });
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ auths: { 'other.example': login('wrong') } }),
    );
    const auths = { [new URL(registry.url).host]: login('right') };
    writeFileSync(join(folder, 'containers/auth.json'), JSON.stringify({ auths }));
    const env = { DOCKER_CONFIG: folder, XDG_RUNTIME_DIR: folder, REGISTRY_AUTH_FILE: `${folder}/nope` };
    expect(await regshift(['inspect', image(registry.url)], { env })).toMatchObject({ code: 0, err: '' });
  });
});
