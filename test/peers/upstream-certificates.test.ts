import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Log } from '../../src/observability/log.ts';
import { type CertificateAuthority, makeAuthority } from '../support/certificate-authority.ts';
import { type Daemon, freePort, startDaemon } from '../support/daemon.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';

describe.skipIf(requirePeers('docker-registry', 'nginx', 'openssl'))(
  'docker-registry behind an nginx that wants a client certificate',
  () => {
    let folder: string;
    let authority: CertificateAuthority;
    let client: ReturnType<CertificateAuthority['issue']>;
    let registry: DockerRegistry;
    let nginx: Daemon;
    let port: number;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'regshift-mtls-'));
      authority = makeAuthority(folder, 'authority');
      client = authority.issue('client', 'DNS:regshift');
      registry = await startDockerRegistry({ samples: ['sample/oci'] });
      port = await freePort();
      nginx = await startNginx();
    });
    afterAll(async () => {
      await nginx?.stop();
      await registry?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    async function startNginx(): Promise<Daemon> {
      const directory = await mkdtemp(join(tmpdir(), 'regshift-mtls-nginx-'));
      const { files } = authority.issue('registry', 'IP:127.0.0.1');
      const file = join(directory, 'nginx.conf');
      await writeFile(
        file,
        `daemon off; pid ${directory}/pid; error_log ${directory}/log; events {}
http {
  access_log off; client_body_temp_path ${directory}; proxy_temp_path ${directory};
  fastcgi_temp_path ${directory}; uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${files.cert}; ssl_certificate_key ${files.key};
    ssl_client_certificate ${authority.file}; ssl_verify_client on;
    location / { proxy_pass ${registry.url}; proxy_set_header Host $http_host; }
  }
}
`,
      );
      const isReady = () =>
        new Promise<boolean>((resolve, reject) => {
          const socket = connect(port, '127.0.0.1', () => resolve(socket.destroy() !== undefined));
          socket.once('error', reject);
        });
      return startDaemon({ program: 'nginx', args: ['-c', file], directory, isReady });
    }

    async function pull(settings: Record<string, string>, log?: Log) {
      const proxy = await startProxy(`https://127.0.0.1:${port}`, settings, log);
      try {
        const headers = { accept: 'application/vnd.oci.image.manifest.v1+json' };
        const url = `http://127.0.0.1:${proxy.port}/v2/sample/oci/manifests/latest`;
        const response = await fetch(url, { headers });
        return { status: response.status, body: await response.text() };
      } finally {
        await proxy.stop();
      }
    }

    it('serves regshift with the files of REGSHIFT_UPSTREAM_CA, _CERT and _KEY', async () => {
      const { status } = await pull({
        REGSHIFT_UPSTREAM_CA: authority.file,
        REGSHIFT_UPSTREAM_CERT: client.files.cert,
        REGSHIFT_UPSTREAM_KEY: client.files.key,
      });
      expect(status).toBe(200);
    });

    it('serves regshift without verification, which the log says at the start', async () => {
      const warnings: string[] = [];
      const settings = {
        REGSHIFT_UPSTREAM_INSECURE: 'true',
        REGSHIFT_UPSTREAM_CERT: client.cert,
        REGSHIFT_UPSTREAM_KEY: client.key,
      };
      const { status } = await pull(settings, (level, message) => {
        if (level === 'warn') warnings.push(message);
      });
      expect(status).toBe(200);
      expect(warnings).toEqual([
        'REGSHIFT_UPSTREAM_INSECURE is true: the certificate of the registry is not verified',
      ]);
    });

    it('is not trusted without its authority', async () => {
      const { status, body } = await pull({});
      expect(status).toBe(502);
      expect(body).toContain('its certificate is not trusted; name its authority in REGSHIFT_UPSTREAM_CA');
    });

    it('refuses regshift without a certificate', async () => {
      expect((await pull({ REGSHIFT_UPSTREAM_CA: authority.file })).status).toBe(502);
    });
  },
);
