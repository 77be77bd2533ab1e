import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Nginx, startNginx } from '../bench/nginx.ts';
import { makeAuthority } from '../support/certificate-authority.ts';
import { freePort } from '../support/daemon.ts';
import { alice, type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';
import { onBothSides } from '../support/side-by-side.ts';

/** Gateways that operators put in front of a registry: a client pulls through them without regshift. */
describe.skipIf(requirePeers('docker-registry', 'nginx', 'skopeo', 'openssl'))(
  'docker-registry behind an nginx',
  () => {
    const home = mkdtempSync(join(tmpdir(), 'regshift-gateways-'));
    let registry: DockerRegistry;
    let pass: string;
    beforeAll(async () => {
      registry = await startDockerRegistry({ samples: ['sample/oci', 'sample/schema2', 'sample/index'] });
      pass = `proxy_pass ${registry.url}; proxy_set_header Host $http_host; proxy_http_version 1.1;`;
    });
    afterAll(async () => {
      await registry?.stop();
      rmSync(home, { recursive: true, force: true });
    });

    async function before(server: string): Promise<Nginx> {
      const nginx = await startNginx(server);
      onTestFinished(() => nginx.stop());
      return nginx;
    }

    /** The manifest of an image as skopeo gets it, and the digests of the layers that it copied. */
    const pull = (image: string) => async (url: string) => {
      const folder = mkdtempSync(join(home, 'copy-'));
      const source = `docker://${new URL(url).host}/${image}`;
      await runProgram('skopeo', ['copy', '--src-tls-verify=false', source, `dir:${folder}`], home);
      return runProgram('skopeo', ['inspect', '--raw', `dir:${folder}`], home);
    };

    async function bothSides(nginx: Nginx, image: string) {
      const url = `http://127.0.0.1:${nginx.port}`;
      const proxy = await startProxy(url);
      onTestFinished(() => proxy.stop());
      return onBothSides({ straight: url, through: `http://127.0.0.1:${proxy.port}` }, pull(image));
    }

    it.each(['sample/oci', 'sample/schema2', 'sample/index'])(
      'that compresses all documents: %s',
      async (image) => {
        const nginx = await before(
          `gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; location / { ${pass} }`,
        );
        const { straight, through } = await bothSides(nginx, image);
        expect(through).toEqual(straight);
      },
    );

    it.each([400, 401, 403, 404, 405, 500, 501])('that answers HEAD of manifests with %i', async (status) => {
      const nginx = await before(
        `location / { ${pass} }
         location ~ /manifests/ { if ($request_method = HEAD) { return ${status}; } ${pass} }`,
      );
      const { straight, through } = await bothSides(nginx, 'sample/oci');
      expect(through).toEqual(straight);
    });

    it('that names itself otherwise takes pushes through regshift, and with its login', async () => {
      const { htpasswd, login } = alice;
      const inner = await startDockerRegistry({ host: 'http://registry.internal:5000', htpasswd });
      onTestFinished(() => inner.stop());
      const push = async (url: string) => {
        const folder = mkdtempSync(join(home, 'push-'));
        const from = `docker://127.0.0.1:${registry.port}/sample/oci`;
        await runProgram('skopeo', ['copy', '--src-tls-verify=false', from, `dir:${folder}`], home);
        const to = `docker://${new URL(url).host}/team/app:1`;
        const options = ['--dest-tls-verify=false', '--dest-creds', login];
        return runProgram('skopeo', ['copy', ...options, `dir:${folder}`, to], home);
      };
      const proxied = async (aliases: Record<string, string>) => {
        const proxy = await startProxy(inner.url, aliases);
        onTestFinished(() => proxy.stop());
        return `http://127.0.0.1:${proxy.port}`;
      };
      await expect(push(await proxied({}))).rejects.toThrow();
      await push(await proxied({ REGSHIFT_UPSTREAM_ALIASES: 'http://registry.internal:5000' }));
    });

    describe('with TLS', () => {
      const folder = mkdtempSync(join(tmpdir(), 'regshift-gateways-tls-'));
      afterAll(() => rmSync(folder, { recursive: true, force: true }));
      const authority = makeAuthority(folder, 'authority');
      const { files } = authority.issue('registry', 'IP:127.0.0.1');
      const certificate = `ssl_certificate ${files.cert}; ssl_certificate_key ${files.key};`;

      /** Starts nginx with a second port that speaks TLS. */
      async function secure(more = ''): Promise<number> {
        const port = await freePort();
        await before(`listen 127.0.0.1:${port} ssl ${more}; ${certificate} location / { ${pass} }`);
        return port;
      }

      async function messageOf(upstream: string, settings: Record<string, string> = {}) {
        const proxy = await startProxy(upstream, settings);
        onTestFinished(() => proxy.stop());
        const url = `http://127.0.0.1:${proxy.port}/v2/sample/oci/manifests/latest`;
        const response = await fetch(url, { headers: { accept: '*/*' } });
        return `${response.status} ${await response.text()}`;
      }

      it('of HTTP/2 and HTTP/1.1: regshift pulls by HTTP/1.1', async () => {
        const port = await secure('http2');
        const settings = { REGSHIFT_UPSTREAM_CA: authority.file };
        expect(await messageOf(`https://127.0.0.1:${port}`, settings)).toMatch(/^200 /);
      });

      it('where the address says http://', async () => {
        const port = await secure();
        expect(await messageOf(`http://127.0.0.1:${port}`)).toContain('check http:// against https://');
      });

      it('whose address says https:// at a port without TLS', async () => {
        const nginx = await before(`location / { ${pass} }`);
        expect(await messageOf(`https://127.0.0.1:${nginx.port}`)).toContain(
          'check https:// against http://',
        );
      });

      it('that wants a certificate of its clients', async () => {
        const port = await freePort();
        const wants = `ssl_client_certificate ${authority.file}; ssl_verify_client on;`;
        await before(`listen 127.0.0.1:${port} ssl; ${certificate} ${wants} location / { ${pass} }`);
        const settings = { REGSHIFT_UPSTREAM_CA: authority.file };
        expect(await messageOf(`https://127.0.0.1:${port}`, settings)).toContain(
          'set REGSHIFT_UPSTREAM_CERT and REGSHIFT_UPSTREAM_KEY',
        );
      });
    });
  },
);
