import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type CertificateAuthority, makeAuthority } from '../support/certificate-authority.ts';
import { containerd } from '../support/clients/containerd.ts';
import { docker } from '../support/clients/docker.ts';
import { podman } from '../support/clients/podman.ts';
import { skopeo } from '../support/clients/skopeo.ts';
import { readTree } from '../support/file-tree.ts';
import { type NginxFront, type RunningFronts, startNginxFronts } from '../support/nginx-front.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';

const refusingHead = (status: number): NginxFront => ({
  listen: '',
  location: `set $refused "$request_method$uri"; if ($refused ~ "^HEAD.*/manifests/") { return ${status}; }`,
});

const gzip = 'gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;';

/** Each registry can be pulled from by the clients themselves. */
const open = {
  'HTTPS by an authority of its own': {},
  'HTTP/2': { listen: 'ssl http2' },
  'compression of all that is asked for so': { server: gzip },
} as const satisfies Record<string, NginxFront>;

const headless = { 403: refusingHead(403), 405: refusingHead(405), 501: refusingHead(501) } as const;

const closed = {
  'a client certificate': { server: 'ssl_verify_client on;' },
  'TLS 1.1': { server: 'ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;' },
  'plain HTTP': { listen: '' },
} as const satisfies Record<string, NginxFront>;

type Fronts = typeof open & typeof headless & typeof closed;

/** docker-registry behind nginx, straight and through regshift. */
describe.skipIf(requirePeers('docker-registry', 'nginx', 'openssl', 'curl', 'umoci', ...skopeo.programs))(
  'a registry behind nginx',
  () => {
    let folder: string;
    let authority: CertificateAuthority;
    let registry: RealRegistry;
    let fronts: RunningFronts<Extract<keyof Fronts, string> | '403' | '405' | '501'>;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'regshift-gateways-'));
      authority = makeAuthority(folder, 'authority');
      registry = await startRealRegistry();
      const { 'a client certificate': mutual, ...others } = closed;
      fronts = await startNginxFronts(registry.url, authority, {
        ...open,
        ...headless,
        ...others,
        'a client certificate': { server: `ssl_client_certificate ${authority.file}; ${mutual.server}` },
      });
      await mkdir(join(folder, 'trusted'));
      await writeFile(join(folder, 'trusted', 'ca.crt'), authority.cert);
    });
    afterAll(async () => {
      await fronts?.stop();
      await registry?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const trusting = () => ({ REGSHIFT_UPSTREAM_CA: authority.file });
    async function startInFrontOf(upstream: string, settings: Record<string, string> = trusting()) {
      const proxy = await startProxy(upstream, settings);
      onTestFinished(() => proxy.stop());
      return `127.0.0.1:${proxy.port}`;
    }

    const run = (program: string, ...args: string[]) => runProgram(program, args, folder);
    const skopeoRaw = (host: string, ...options: string[]) =>
      run('skopeo', 'inspect', '--raw', ...options, `docker://${host}/real/index:latest`);
    /** The error of a manifest. skopeo prints no more than the status of `/v2/`, which fails before. */
    const messageOf = async (host: string) => {
      expect(await problemOf(skopeoRaw(host, '--tls-verify=false'))).toContain('502');
      return run('curl', '--silent', `http://${host}/v2/real/oci/manifests/latest`);
    };
    /** @returns the problem that a program prints; fails if it has none. */
    const problemOf = async (running: Promise<string>) => {
      const outcome = await running.then(() => 'no problem', String);
      expect(outcome).not.toBe('no problem');
      return outcome;
    };

    describe.each(Object.keys(open) as (keyof typeof open)[])('with %s', (name) => {
      it('gives skopeo the same manifest, straight and through regshift', async () => {
        const host = await startInFrontOf(`https://${fronts.hosts[name]}`);
        const straight = await skopeoRaw(fronts.hosts[name], '--cert-dir', join(folder, 'trusted'));
        expect(straight).toContain('schemaVersion');
        expect(await skopeoRaw(host, '--tls-verify=false')).toBe(straight);
      });

      it('gives curl the same blob, which asks for compression', async () => {
        const host = await startInFrontOf(`https://${fronts.hosts[name]}`);
        const manifest = await run(
          'skopeo',
          'inspect',
          '--raw',
          '--tls-verify=false',
          `docker://${host}/real/oci:latest`,
        );
        const path = `/v2/real/oci/blobs/${JSON.parse(manifest).config.digest}`;
        const curl = (url: string, ...options: string[]) =>
          run('curl', '--silent', '--fail', '--compressed', '--location', ...options, url + path);
        const straight = await curl(`https://${fronts.hosts[name]}`, '--cacert', authority.file);
        expect(straight).toContain('rootfs');
        expect(await curl(`http://${host}`)).toBe(straight);
      });
    });

    describe.each([403, 405, 501] as const)('which answers HEAD of manifests with %i', (status) => {
      it('lets curl and skopeo have them by GET', async () => {
        const upstream = fronts.hosts[status];
        const host = await startInFrontOf(`http://${upstream}`);
        const code = ['--silent', '--output', '/dev/null', '--write-out', '%{http_code}'];
        const path = '/v2/real/index/manifests/latest';
        expect(await run('curl', ...code, '--head', `http://${upstream}${path}`)).toBe(String(status));
        const straight = await skopeoRaw(upstream, '--tls-verify=false');
        expect(await skopeoRaw(host, '--tls-verify=false')).toBe(straight);
      });
    });

    it.each([podman, containerd, docker])('which answers HEAD with 405 serves $name', async (program) => {
      if (requirePeers(...program.programs) !== undefined) return;
      const client = await program.start();
      onTestFinished(() => client.stop());
      const host = await startInFrontOf(`http://${fronts.hosts[405]}`);
      expect(await readTree(await client.pull(`${host}/real/oci:latest`))).toEqual(registry.files);
      const isGiven = await client.pull(`${fronts.hosts[405]}/real/schema2:latest`).then(
        () => true,
        () => false,
      );
      expect(isGiven).toBe(true);
    });

    describe('that a client cannot pull from', () => {
      it('for want of a client certificate: regshift names the settings', async () => {
        const upstream = fronts.hosts['a client certificate'];
        expect(await problemOf(skopeoRaw(upstream, '--cert-dir', join(folder, 'trusted')))).toContain('400');
        const host = await startInFrontOf(`https://${upstream}`);
        expect(await messageOf(host)).toContain('it wants a client certificate; set REGSHIFT_UPSTREAM_CERT');
        const ready = await run('curl', '--silent', `http://${host}/readyz`);
        expect(Object.values(JSON.parse(ready).upstreams)).toEqual(['answers 400']);
      });

      it('for a client certificate of another authority', async () => {
        const { files } = makeAuthority(folder, 'other').issue('stranger', 'DNS:stranger');
        const host = await startInFrontOf(`https://${fronts.hosts['a client certificate']}`, {
          ...trusting(),
          REGSHIFT_UPSTREAM_CERT: files.cert,
          REGSHIFT_UPSTREAM_KEY: files.key,
        });
        expect(await messageOf(host)).toContain(
          'it refuses the client certificate; check REGSHIFT_UPSTREAM_CERT',
        );
      });

      it.each([
        ['https', 'TLS 1.1', 'it does not speak TLS 1.2 or later; update it'],
        ['https', 'plain HTTP', 'it does not speak TLS; check https:// against http://'],
        ['http', 'HTTP/2', 'it speaks TLS there; check http:// against https://'],
        ['http', 'HTTPS by an authority of its own', 'it speaks TLS there; check http:// against https://'],
      ] as const)('by %s, as it speaks %s', async (scheme, name, message) => {
        const upstream = fronts.hosts[name];
        const verified = scheme === 'https' ? ['--cacert', authority.file] : [];
        await problemOf(run('curl', '--fail', ...verified, `${scheme}://${upstream}/v2/`));
        const host = await startInFrontOf(`${scheme}://${upstream}`);
        expect(await messageOf(host)).toContain(message);
      });
    });
  },
);
