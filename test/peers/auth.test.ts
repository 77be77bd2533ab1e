import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import { alice, type DockerRegistry, hashOfSecret, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { manifestAnswers } from '../support/relay.ts';
import { type Route, startRoute } from '../support/route.ts';
import { skopeoCopy } from '../support/skopeo-copy.ts';
import { identityToken, startTokenRegistry } from '../support/token-registry.ts';

/** The bcrypt hash of "päss:wörd", at the lowest cost. */
const hashOfOther = '$2a$04$OvlkWcBLDMr5G0we.T2hWOMEpNPDYXIBl2krGArSYEL7O7yZs7WqS';
const users = `${alice.htpasswd}proxy:${hashOfOther}\n`;
const sample = 'sample/schema2';
/** Every pull converts, so that the proxy remembers more than the registry stores. */
const pinned = { REGSHIFT_FORMAT: 'schema1' };

/** The settings for one account with which the proxy logs in upstream. */
const account = (username: string, password: string) => ({
  REGSHIFT_UPSTREAM_AUTH: 'basic',
  REGSHIFT_UPSTREAM_USERNAME: username,
  REGSHIFT_UPSTREAM_PASSWORD: password,
});

describe.skipIf(requirePeers('docker-registry', 'skopeo'))('docker-registry with htpasswd', () => {
  let home: string;
  let registry: DockerRegistry;
  const routes: Route[] = [];
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-auth-'));
    registry = await startDockerRegistry({ htpasswd: users, samples: [sample] });
  });
  afterAll(async () => {
    for (const route of routes) await route.stop();
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  async function route(variables: Record<string, string>): Promise<Route> {
    const started = await startRoute(registry.url, { ...pinned, ...variables });
    routes.push(started);
    return started;
  }

  /** Pulls by skopeo. @returns the error that skopeo printed, or undefined when it succeeds. */
  async function copy({ relay }: Route, login?: string): Promise<string | undefined> {
    const target = await mkdtemp(join(home, 'copied-'));
    const credentials = login === undefined ? ['--src-no-creds'] : ['--src-creds', login];
    const from = `docker://${relay.host}/${sample}:latest`;
    return skopeoCopy(home, from, `dir:${target}`, ...credentials).then(
      () => undefined,
      (error: Error) => error.message,
    );
  }

  it('by pass-through is open to its own users, and to them alone', async () => {
    const through = await route({});
    expect(await copy(through, 'alice:wrong')).toMatch(/unauthorized|authentication required/i);
    expect(await copy(through)).toMatch(/unauthorized|authentication required/i);
    expect(await copy(through, 'alice:secret')).toBeUndefined();
    expect(await copy(through, 'proxy:päss:wörd')).toBeUndefined();
    expect(manifestAnswers(through.relay).map(({ status }) => status)).toContain(200);
    expect(await copy(through, 'alice:wrong')).toMatch(/unauthorized|authentication required/i);
    expect(await copy(through)).toMatch(/unauthorized|authentication required/i);
  });

  it('by an account of the proxy is open to users of the proxy, and to them alone', async () => {
    const byAccount = await route({
      ...account('proxy', 'päss:wörd'),
      REGSHIFT_CLIENT_AUTH: 'basic',
      REGSHIFT_HTPASSWD: `carol:${hashOfSecret}`,
    });
    for (const login of [undefined, 'alice:secret', 'proxy:päss:wörd', 'carol:wrong']) {
      expect(await copy(byAccount, login)).toMatch(/unauthorized|authentication required/i);
    }
    expect(await copy(byAccount, 'carol:secret')).toBeUndefined();
    for (const login of [undefined, 'alice:secret', 'carol:wrong']) {
      expect(await copy(byAccount, login)).toMatch(/unauthorized|authentication required/i);
    }
  });

  it('with an account that is wrong says so, and is no login for clients', async () => {
    const byAccount = await route({
      ...account('proxy', 'wrong'),
      REGSHIFT_CLIENT_AUTH: 'none',
    });
    expect(await copy(byAccount, 'alice:secret')).toMatch(
      /denied: Upstream answered 401.*account of its own/,
    );
  });

  it.each([
    ['pass-through', {}, 'alice:secret'],
    [
      'an account of the proxy',
      {
        ...account('alice', 'secret'),
        REGSHIFT_CLIENT_AUTH: 'basic',
        REGSHIFT_HTPASSWD: `carol:${hashOfSecret}`,
      },
      'carol:secret',
    ],
  ])('by %s is not given to others when it is remembered', async (_name, variables, login) => {
    const { relay } = await route(variables);
    const ask = async (reference: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`http://${relay.host}/v2/${sample}/manifests/${reference}`, { headers });
      await response.body?.cancel();
      return response;
    };
    const first = await ask('latest', { authorization: `Basic ${btoa(login)}` });
    expect([first.status, first.headers.get('regshift-conversion')]).toEqual([200, 'schema2 -> schema1']);
    const digests = ['docker-content-digest', 'regshift-source-digest'].map((name) =>
      first.headers.get(name),
    );
    for (const reference of ['latest', ...digests.map(String)]) {
      for (const authorization of [undefined, 'Basic', `Basic ${btoa('alice:wrong')}`, 'Bearer x']) {
        const other = await ask(reference, authorization === undefined ? {} : { authorization });
        expect([other.status, other.headers.get('docker-content-digest')]).toEqual([401, null]);
      }
    }
  });
});

describe('a registry with a token server, through the proxy', () => {
  let home: string;
  let registry: { readonly url: string; stop(): Promise<void> };
  let route: Route;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-tokens-'));
    registry = await startTokenRegistry('alice:secret');
    route = await startRoute(registry.url);
  });
  afterAll(async () => {
    await route?.stop();
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  /** Method and status of each request for a token. */
  const tokenRequests = () =>
    route.relay.exchanges
      .filter(({ path }) => /^\/token(\?|$)/.test(path))
      .map(({ method, status }) => `${method} ${status}`);

  it.skipIf(requirePeers('skopeo'))('gives skopeo a token from the proxy', async () => {
    const inspect = (login: string) => {
      const from = `docker://${route.relay.host}/${sample}:latest`;
      return runProgram('skopeo', ['inspect', '--tls-verify=false', '--creds', login, from], home);
    };
    route.relay.forget();
    await expect(inspect('alice:wrong')).rejects.toThrow(/invalid username\/password|unauthorized/);
    expect(tokenRequests()).toEqual(['GET 401']);
    route.relay.forget();
    await inspect('alice:secret');
    expect(new Set(tokenRequests())).toEqual(new Set(['GET 200']));
  });

  it.skipIf(requirePeers('skopeo'))('gives skopeo one for the identity token of docker login', async () => {
    const file = join(home, 'identity.json');
    const inspect = async (token: string) => {
      const entry = { auth: btoa('<token>:'), identitytoken: token };
      await writeFile(file, JSON.stringify({ auths: { [route.relay.host]: entry } }));
      const from = `docker://${route.relay.host}/${sample}:latest`;
      return runProgram('skopeo', ['inspect', '--tls-verify=false', '--authfile', file, from], home);
    };
    route.relay.forget();
    await expect(inspect('another')).rejects.toThrow(/unauthorized|invalid/i);
    route.relay.forget();
    await inspect(identityToken);
    expect(new Set(tokenRequests())).toEqual(new Set(['POST 200']));
  });

  it('gives docker login an identity token', async () => {
    const query = 'account=alice&client_id=docker&offline_token=true&service=test';
    const headers = { authorization: `Basic ${btoa('alice:secret')}` };
    const answer = await fetch(`http://${route.relay.host}/token?${query}`, { headers });
    expect(await answer.json()).toMatchObject({ token: 'good', refresh_token: identityToken });
  });

  it.skipIf(requirePeers('containerd', 'ctr'))('gives containerd one by its POST', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'regshift-containerd-'));
    const address = join(directory, 'containerd.sock');
    const config = join(directory, 'config.toml');
    const places = `root = "${join(directory, 'root')}"\nstate = "${join(directory, 'state')}"`;
    await writeFile(config, `version = 2\n${places}\n[grpc]\naddress = "${address}"\n`);
    const ctr = (...args: string[]) => runProgram('ctr', ['--address', address, ...args], directory);
    const { stop } = await startDaemon({
      program: 'containerd',
      args: ['--config', config],
      directory,
      isReady: async () => (await ctr('version')) !== '',
    });
    try {
      const pull = (login: string) =>
        ctr('content', 'fetch', '--plain-http', '--user', login, `${route.relay.host}/${sample}:latest`);
      route.relay.forget();
      await expect(pull('alice:wrong')).rejects.toThrow(/401 Unauthorized/);
      expect(tokenRequests()).toEqual(['POST 401', 'GET 401']);
      route.relay.forget();
      await pull('alice:secret');
      expect(tokenRequests()[0]).toBe('POST 200');
    } finally {
      await stop();
    }
  });
});
