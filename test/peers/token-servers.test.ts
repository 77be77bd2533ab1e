import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { makeAuthority } from '../support/certificate-authority.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { listen } from '../support/listen.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';

const service = 'registry of the test';
const issuer = 'tokens of the test';
const manifest = '/v2/sample/oci/manifests/latest';

/** How the token server answers the first request for a token. */
type Habit = 'token' | 302 | 307 | 308 | 429;

/** docker-registry verifies the tokens itself (distribution, "Token Authentication Implementation"). */
describe.skipIf(requirePeers('docker-registry', 'skopeo', 'openssl', 'curl'))(
  'docker-registry with tokens',
  () => {
    let home: string;
    let habit: Habit;
    let asked: string[];
    let registry: DockerRegistry;
    let tokens: Awaited<ReturnType<typeof listen>>;
    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), 'regshift-tokens-'));
      const { cert, key, files } = makeAuthority(home, 'authority').issue('tokens', 'DNS:tokens');
      const x5c = [new X509Certificate(cert).raw.toString('base64')];
      const privateKey = createPrivateKey(key);

      async function tokenFor({ searchParams }: URL): Promise<string> {
        const access = searchParams.getAll('scope').map((scope) => {
          const [type, name, actions = ''] = scope.split(':');
          return { type, name, actions: actions.split(',') };
        });
        const jwt = new SignJWT({ access, jti: String(asked.length) });
        const claims = jwt.setIssuer(issuer).setAudience(service).setSubject('').setExpirationTime('5m');
        return claims
          .setIssuedAt()
          .setNotBefore('-10s')
          .setProtectedHeader({ alg: 'ES256', typ: 'JWT', x5c })
          .sign(privateKey);
      }

      tokens = await listen(
        createServer(async ({ url: path = '/' }, response) => {
          const url = new URL(path, 'http://tokens.test');
          asked.push(url.pathname);
          if (url.pathname === '/auth' && typeof habit === 'number') {
            const moved = habit === 429 ? { 'Retry-After': '7' } : { Location: `/moved${url.search}` };
            return response.writeHead(habit, moved).end();
          }
          return response.end(JSON.stringify({ token: await tokenFor(url), expires_in: 300 }));
        }),
      );
      const realm = `${tokens.url}/auth`;
      registry = await startDockerRegistry({ token: { realm, service, issuer, rootcertbundle: files.cert } });
      asked = [];
      habit = 'token';
      await push();
    });
    beforeEach(() => {
      asked = [];
    });
    afterAll(async () => {
      await registry?.stop();
      await tokens?.stop();
      await rm(home, { recursive: true, force: true });
    });

    const run = (program: string, ...args: string[]) => runProgram(program, args, home);

    /** Pushes the sample by skopeo, which gets the token for it. */
    async function push(): Promise<void> {
      const samples = await startDockerRegistry({ samples: ['sample/oci'] });
      try {
        const to = `docker://127.0.0.1:${registry.port}/sample/oci:latest`;
        const options = ['--insecure-policy', 'copy', '--src-tls-verify=false', '--dest-tls-verify=false'];
        await run('skopeo', ...options, `docker://127.0.0.1:${samples.port}/sample/oci:latest`, to);
      } finally {
        await samples.stop();
      }
    }

    const inspect = (port: number) =>
      run('skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://127.0.0.1:${port}/sample/oci:latest`);

    async function startRegshift(settings: Record<string, string>): Promise<number> {
      const proxy = await startProxy(registry.url, settings);
      onTestFinished(() => proxy.stop());
      return proxy.port;
    }

    it.each(['token', 302, 307, 308] as const)(
      'whose server answers %s: pulls straight and through regshift',
      async (each) => {
        habit = each;
        const straight = await inspect(registry.port);
        expect(straight).toContain('schemaVersion');
        expect(await inspect(await startRegshift({}))).toBe(straight);
        asked = [];
        expect(await inspect(await startRegshift({ REGSHIFT_UPSTREAM_AUTH: 'anonymous' }))).toBe(straight);
        expect(asked.slice(0, 2)).toEqual(each === 'token' ? ['/auth'] : ['/auth', '/moved']);
      },
    );

    it('whose server limits requests: regshift says so with 429 and Retry-After', async () => {
      habit = 429;
      // skopeo tries for half a minute before it prints the status.
      const ask = (url: string) => run('curl', '--silent', '--include', url);
      expect(await ask(`${tokens.url}/auth?service=x`)).toMatch(/^HTTP\/1\.1 429 /);
      const port = await startRegshift({ REGSHIFT_UPSTREAM_AUTH: 'anonymous' });
      const answer = await ask(`http://127.0.0.1:${port}${manifest}`);
      expect(answer).toMatch(/^HTTP\/1\.1 429 /);
      expect(answer).toMatch(/retry-after: 7\r?\n/i);
    });
  },
);
