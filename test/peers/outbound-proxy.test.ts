import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { type OutboundProxy, startSquid, startTinyproxy } from '../support/outbound-proxies.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';

const manifest = '/v2/sample/oci/manifests/latest';
const accept = mediaTypes.ociManifest;

describe.each([
  { name: 'tinyproxy', start: startTinyproxy, programs: ['tinyproxy'], wrongLogin: 401 },
  { name: 'squid', start: startSquid, programs: ['squid', 'openssl'], wrongLogin: 407 },
])('behind $name', ({ start, programs, wrongLogin }) => {
  describe.skipIf(requirePeers('docker-registry', 'curl', ...programs))('regshift', () => {
    let home: string;
    let registry: DockerRegistry;
    let outbound: OutboundProxy;
    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), 'regshift-outbound-'));
      registry = await startDockerRegistry({ samples: ['sample/oci'] });
      outbound = await start(registry.port);
    });
    afterAll(async () => {
      await outbound?.stop();
      await registry?.stop();
      await rm(home, { recursive: true, force: true });
    });

    /** Status and body of a manifest through regshift. @param login like `user:secret@`. */
    async function pull(upstream: string, login: string) {
      const proxy = await startProxy(upstream, {
        REGSHIFT_UPSTREAM_PROXY: `http://${login}${outbound.host}`,
      });
      try {
        const response = await fetch(`http://127.0.0.1:${proxy.port}${manifest}`, { headers: { accept } });
        return { status: response.status, body: await response.text() };
      } finally {
        await proxy.stop();
      }
    }

    /** The status that curl gets through the outbound proxy, from the registry or from the proxy itself. */
    const curl = (upstream: string, login: string) => {
      const options = ['--silent', '--output', '/dev/null', '--write-out', '%{http_code} %{http_connect}'];
      const proxy = ['--proxy', `http://${login}${outbound.host}`, '--header', `Accept: ${accept}`];
      return runProgram(
        'sh',
        ['-c', 'curl "$@"; :', 'curl', ...options, ...proxy, upstream + manifest],
        home,
      );
    };

    it('reaches a registry that only the proxy reaches, as curl does', async () => {
      expect(await curl('http://registry.example', 'user:secret@')).toBe('200 000');
      const { status, body } = await pull('http://registry.example', 'user:secret@');
      expect(status).toBe(200);
      expect(body).toContain('"schemaVersion"');
    });

    it.each([
      ['http', 'user:wrong@', wrongLogin, 'it wants a login'],
      ['https', 'user:wrong@', wrongLogin, 'it wants a login'],
      ['http', '', 407, 'it wants a login'],
      ['https', '', 407, 'it wants a login'],
    ])('names a wrong or a missing login: %s, %j', async (scheme, login, refused, reason) => {
      expect(await curl(`${scheme}://registry.example`, login)).toContain(String(refused));
      const { status, body } = await pull(`${scheme}://registry.example`, login);
      expect(status).toBe(502);
      expect(body).toContain(`the outbound proxy ${outbound.host} failed: status ${refused}: ${reason}`);
      expect(body).not.toContain('wrong');
    });

    it.each(['http://denied.example', 'https://denied.example', 'https://registry.example:5000'])(
      'names a refusal: %s',
      async (upstream) => {
        expect(await curl(upstream, 'user:secret@')).toContain('403');
        const { status, body } = await pull(upstream, 'user:secret@');
        expect(status).toBe(502);
        const message = `the outbound proxy ${outbound.host} failed: status 403: it does not allow this host`;
        expect(body).toContain(message);
      },
    );

    it.each(['http', 'https'])('names a proxy that cannot connect: %s', async (scheme) => {
      const upstream = `${scheme}://nowhere.invalid`;
      expect(await curl(upstream, 'user:secret@')).toMatch(/50[0234]/);
      const { status, body } = await pull(upstream, 'user:secret@');
      expect(status).toBe(502);
      expect(body).toMatch(/the outbound proxy [^ ]+ failed: status 50[0234]: it cannot connect/);
    });
  });
});
