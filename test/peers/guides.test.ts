import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type Daemon, freePort, isListening, startDaemon } from '../support/daemon.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';
import { type Route, startRoute } from '../support/route.ts';

const guides = join(import.meta.dirname, '../../deploy/clients');
/** The names of the proxy and of the registry in the guides; here only the proxy reaches the registry. */
const [proxyName, registryName] = ['proxy.example.com:8080', 'registry.example'];
const image = `${registryName}/real/oci:latest`;

/** Returns the block of a guide that begins with a text, unchanged: the lines that a reader copies must work. */
async function linesOf(guide: string, begin: string): Promise<string> {
  const text = await readFile(join(guides, guide), 'utf8');
  const blocks = [...text.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].map(([, lines = '']) => lines);
  const [found, ...others] = blocks.filter((lines) => lines.startsWith(begin));
  if (found === undefined || others.length > 0) throw new Error(`${guide} has not one block with ${begin}`);
  return found;
}

describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci'))('the lines of the guides', () => {
  let home: string;
  let registry: RealRegistry;
  let route: Route;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-guides-'));
    registry = await startRealRegistry();
    route = await startRoute(registry.url);
  });
  afterAll(async () => {
    await route?.stop();
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  const written = async (name: string, lines: string) => {
    const file = join(home, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, lines.replaceAll(proxyName, route.relay.host));
    return file;
  };
  const askedFor = () => route.relay.exchanges.map(({ path }) => path);
  const skopeo = (...args: string[]) => runProgram('skopeo', args, home);

  it('podman.md: the mirror is asked', async () => {
    const lines = await linesOf('podman.md', `[[registry]]\nlocation = "${registryName}"`);
    const file = await written('mirror.conf', lines);
    route.relay.forget();
    await skopeo('--registries-conf', file, 'inspect', '--no-tags', `docker://${image}`);
    expect(askedFor()).toContain('/v2/real/oci/manifests/latest');
  });

  it('podman.md: by name, over HTTP', async () => {
    const file = await written(
      'name.conf',
      await linesOf('podman.md', `[[registry]]\nlocation = "${proxyName}"`),
    );
    const named = `docker://${route.relay.host}/real/oci:latest`;
    await skopeo('--registries-conf', file, 'inspect', named);
    const nothing = await written('nothing.conf', '');
    await expect(skopeo('--registries-conf', nothing, 'inspect', named)).rejects.toThrow(
      'server gave HTTP response to HTTPS client',
    );
  });

  describe.skipIf(requirePeers('containerd', 'ctr'))('containerd.md', () => {
    let containerd: Daemon;
    let ctr: (...args: string[]) => Promise<string>;
    beforeAll(async () => {
      const directory = await mkdtemp(join(tmpdir(), 'regshift-guide-containerd-'));
      const address = join(directory, 'containerd.sock');
      ctr = (...args) => runProgram('ctr', ['--address', address, ...args], directory);
      const lines = await linesOf('containerd.md', '# containerd 1.5 to 1.7');
      const places = `root = "${directory}/root"\nstate = "${directory}/state"\n[grpc]\naddress = "${address}"\n`;
      const config = await written('config.toml', lines.replace('version = 2\n', `version = 2\n${places}`));
      containerd = await startDaemon({
        program: 'containerd',
        args: ['--config', config],
        directory,
        isReady: async () => (await ctr('version')) !== '',
      });
    });
    afterAll(() => containerd?.stop());

    it('hosts.toml makes it ask the proxy, and say for which registry', async () => {
      const lines = await linesOf('containerd.md', `# /etc/containerd/certs.d/${registryName}/hosts.toml`);
      const file = await written(`certs.d/${registryName}/hosts.toml`, lines);
      route.relay.forget();
      const hosts = ['--hosts-dir', dirname(dirname(file)), '--snapshotter', 'native'];
      await ctr('images', 'pull', ...hosts, image);
      expect(askedFor()[0]).toBe(`/v2/real/oci/manifests/latest?ns=${registryName}`);
      expect(askedFor().every((path) => path.endsWith(`?ns=${registryName}`))).toBe(true);
    });

    it('hosts.toml for the proxy alone makes it ask the proxy', async () => {
      const lines = await linesOf('containerd.md', '# The same file, for the proxy alone');
      const file = await written(`alone/${registryName}/hosts.toml`, lines);
      route.relay.forget();
      const hosts = ['--hosts-dir', dirname(dirname(file)), '--snapshotter', 'native'];
      await ctr('--namespace', 'alone', 'images', 'pull', ...hosts, image);
      expect(askedFor()[0]).toBe(`/v2/real/oci/manifests/latest?ns=${registryName}`);
    });
  });

  describe.skipIf(requirePeers('nginx', 'openssl'))('README.md', () => {
    it('nginx takes the lines, and a pull passes through it', async () => {
      const port = await freePort();
      const certificate = await makeCertificate(home);
      const nginx = await startNginx(port, await nginxLines(port, certificate, route.relay.host));
      try {
        const from = ['--src-cert-dir', home, `docker://127.0.0.1:${port}/real/oci:latest`];
        await skopeo('--insecure-policy', 'copy', ...from, `dir:${join(home, 'pulled')}`);
      } finally {
        await nginx.stop();
      }
    });

    it('nginx names the address of each client, which rules and limits are about', async () => {
      const port = await freePort();
      const rule = { match: { network: '127.0.0.9' }, lacks: ['oci'] };
      const ruled = await startRoute(registry.url, {
        REGSHIFT_TRUSTED_PROXIES: '127.0.0.1',
        REGSHIFT_CLIENTS: JSON.stringify(rule),
      });
      const certificate = await makeCertificate(home);
      const nginx = await startNginx(port, await nginxLines(port, certificate, ruled.relay.host));
      try {
        const url = `https://127.0.0.1:${port}/v2/real/oci/manifests/latest`;
        expect(await typeFor('127.0.0.9', url)).toBe(mediaTypes.schema2);
        expect(await typeFor('127.0.0.8', url)).toBe(mediaTypes.ociManifest);
        expect(await uploadHost(port)).toBe(`127.0.0.1:${port}`);
      } finally {
        await nginx.stop();
        await ruled.stop();
      }
    });
  });

  describe.skipIf(requirePeers('apache2', 'openssl'))('README.md', () => {
    it('Apache takes the lines, and pulls and pushes pass through it as regshift answers', async () => {
      const port = await freePort();
      const behind = await startRoute(registry.url, { REGSHIFT_TRUSTED_PROXIES: '127.0.0.1' });
      const certificate = await makeCertificate(home);
      const apache = await startApache(port, await apacheLines(port, certificate, behind.relay.host));
      try {
        const host = `127.0.0.1:${port}`;
        const headers = { 'accept-encoding': 'gzip, br', accept: mediaTypes.ociManifest };
        const manifest = await headersOf(`https://${host}/v2/real/oci/manifests/latest`, headers);
        expect(manifest).not.toHaveProperty('content-encoding');
        expect(manifest.etag).toBe(`"${manifest['docker-content-digest']}"`);
        const certificates = ['--src-cert-dir', home, '--dest-cert-dir', home];
        const images = [`docker://${host}/real/oci:latest`, `docker://${host}/real/pushed:latest`];
        await skopeo('--insecure-policy', 'copy', ...certificates, ...images);
        expect(await uploadHost(port)).toBe(host);
      } finally {
        await apache.stop();
        await behind.stop();
      }
    });
  });
});

/** The host that a client gets for its upload, although it names another one. */
async function uploadHost(port: number): Promise<string> {
  const url = `https://127.0.0.1:${port}/v2/real/upload/blobs/uploads/`;
  const headers = { 'x-forwarded-host': 'evil.example', 'content-length': '0' };
  const { location = '' } = await headersOf(url, headers, 'POST');
  return new URL(location).host;
}

async function headersOf(
  url: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<IncomingHttpHeaders> {
  const request = get(url, { method, headers, rejectUnauthorized: false, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.headers;
}

/** The type of the manifest that a client with this address gets. */
async function typeFor(localAddress: string, url: string): Promise<string | undefined> {
  const headers = { accept: `${mediaTypes.ociManifest}, ${mediaTypes.schema2}` };
  const request = get(url, { localAddress, headers, rejectUnauthorized: false, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.headers['content-type'];
}

interface Certificate {
  readonly file: string;
  readonly key: string;
}

async function makeCertificate(home: string): Promise<Certificate> {
  const [file, key] = [join(home, 'proxy.crt'), join(home, 'private')];
  const subject = ['-subj', '/CN=proxy.example.com', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject];
  await runProgram('openssl', [...make, '-keyout', key, '-out', file], home);
  return { file, key };
}

async function nginxLines(port: number, { file, key }: Certificate, upstream: string): Promise<string> {
  const lines = await linesOf('README.md', 'server {');
  return lines
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace('/etc/nginx/proxy.example.com.crt', file)
    .replace('/etc/nginx/proxy.example.com.key', key)
    .replace('127.0.0.1:8080', upstream);
}

async function startNginx(port: number, server: string): Promise<Daemon> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-guide-nginx-'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${join(directory, each)};`,
  );
  const around = `daemon off; pid ${join(directory, 'pid')}; error_log stderr; events {}`;
  const config = join(directory, 'nginx.conf');
  await writeFile(config, `${around}\nhttp { access_log off; ${temporary.join(' ')}\n${server}}`);
  const args = ['-p', directory, '-c', config];
  return startDaemon({ program: 'nginx', args, directory, isReady: () => isListening(port) });
}

async function apacheLines(port: number, { file, key }: Certificate, upstream: string): Promise<string> {
  const lines = await linesOf('README.md', '<VirtualHost');
  return lines
    .replace('*:443', `127.0.0.1:${port}`)
    .replace('/etc/apache2/proxy.example.com.crt', file)
    .replace('/etc/apache2/proxy.example.com.key', key)
    .replace('127.0.0.1:8080', upstream);
}

/** Starts an Apache that compresses all that its virtual host does not except. */
async function startApache(port: number, host: string): Promise<Daemon> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-guide-apache-'));
  const base = ['mpm_event', 'authz_core', 'filter', 'deflate', 'brotli', 'env', 'proxy'];
  const modules = [...base, 'ssl', 'headers', 'proxy_http'].map(
    (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
  );
  const around = `ServerRoot ${directory}\nPidFile ${directory}/pid\nErrorLog ${directory}/log\nListen 127.0.0.1:${port}`;
  const account = process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : '';
  const config = join(directory, 'httpd.conf');
  await writeFile(config, [around, ...modules, account, 'SetOutputFilter DEFLATE', host].join('\n'));
  const args = ['-f', config, '-D', 'FOREGROUND'];
  return startDaemon({ program: 'apache2', args, directory, isReady: () => isListening(port) });
}
