import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Log } from '../../src/observability/log.ts';
import { type CertificateAuthority, makeAuthority } from '../support/certificate-authority.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { type RunningFronts, startNginxFronts } from '../support/nginx-front.ts';
import { requirePeers } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';

describe.skipIf(requirePeers('docker-registry', 'nginx', 'openssl'))(
  'docker-registry behind an nginx that wants a client certificate',
  () => {
    let folder: string;
    let authority: CertificateAuthority;
    let client: ReturnType<CertificateAuthority['issue']>;
    let registry: DockerRegistry;
    let nginx: RunningFronts<'mutual'>;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'regshift-mtls-'));
      authority = makeAuthority(folder, 'authority');
      client = authority.issue('client', 'DNS:regshift');
      registry = await startDockerRegistry({ samples: ['sample/oci'] });
      const server = `ssl_client_certificate ${authority.file}; ssl_verify_client on;`;
      nginx = await startNginxFronts(registry.url, authority, { mutual: { server } });
    });
    afterAll(async () => {
      await nginx?.stop();
      await registry?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    async function pull(settings: Record<string, string>, log?: Log) {
      const proxy = await startProxy(`https://${nginx.hosts.mutual}`, settings, log);
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
      expect(warnings).toContain(
        'REGSHIFT_UPSTREAM_INSECURE is true: the certificate of the registry is not verified',
      );
    });

    it('is not trusted without its authority', async () => {
      const { status, body } = await pull({});
      expect(status).toBe(502);
      expect(body).toContain('its certificate is not trusted; name its authority in REGSHIFT_UPSTREAM_CA');
    });

    it('refuses regshift without a certificate', async () => {
      const { status, body } = await pull({ REGSHIFT_UPSTREAM_CA: authority.file });
      expect(status).toBe(502);
      expect(body).toContain('it wants a client certificate; set REGSHIFT_UPSTREAM_CERT');
    });
  },
);
