import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TlsOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { certificateProblem } from '../../../../../src/runtime/node/http/connections.ts';
import { createHttpFetch } from '../../../../../src/runtime/node/http/fetch.ts';
import type { UpstreamTls } from '../../../../../src/upstream/connection.ts';
import { networkError } from '../../../../../src/upstream/network-errors.ts';
import { type CertificateAuthority, makeAuthority } from '../../../../support/certificate-authority.ts';
import { listen } from '../../../../support/listen.ts';

let folder: string;
let authority: CertificateAuthority;
let server: ReturnType<CertificateAuthority['issue']>;
let client: ReturnType<CertificateAuthority['issue']>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regshift-certificates-'));
  authority = makeAuthority(folder, 'authority');
  server = authority.issue('registry', 'IP:127.0.0.1,DNS:localhost');
  client = authority.issue('client', 'DNS:regshift');
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A registry that answers with the name in the client's certificate. */
async function startRegistry(options: TlsOptions = {}): Promise<number> {
  const { cert, key } = server;
  const registry = createServer({ cert, key, ca: authority.cert, ...options }, (request, response) => {
    const { subject } = (request.socket as import('node:tls').TLSSocket).getPeerCertificate();
    response.end(String(subject?.CN ?? 'nobody'));
  });
  await once(registry.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    registry.closeAllConnections();
    registry.close();
  });
  return (registry.address() as AddressInfo).port;
}

/** A server that refuses a client certificate by an alert. Node's own server closes the connection without a word. */
async function startVerifyingServer(version: string): Promise<number> {
  const { cert, key } = server.files;
  const files = ['-cert', cert, '-key', key, '-CAfile', authority.file];
  const verify = ['-Verify', '1', '-verify_return_error', version];
  const program = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', ...files, ...verify, '-www']);
  onTestFinished(() => void program.kill());
  for await (const line of createInterface(program.stdout)) {
    const [, port] = /^ACCEPT 127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    if (port) return Number(port);
  }
  throw new Error('openssl does not listen');
}

async function answerOf(port: number, tls: Partial<UpstreamTls> | undefined, host = '127.0.0.1') {
  const own = tls && { insecure: false, hosts: ['127.0.0.1'], ...tls };
  const url = new URL(`https://${host}:${port}/`);
  try {
    return await (await createHttpFetch(undefined, undefined, { tls: own })(url.href, {})).text();
  } catch (error) {
    return networkError(error, 'GET', url).message;
  }
}

const pairOf = ({ cert, key }: { cert: string; key: string }) => ({ certificate: { cert, key } });

describe('an authority of a route', () => {
  it('is trusted beside those of the runtime, for every host', async () => {
    const port = await startRegistry();
    expect(await answerOf(port, undefined)).toMatch(
      /[A-Z_]+: its certificate is not trusted; name its authority in REGSHIFT_UPSTREAM_CA/,
    );
    expect(await answerOf(port, { authorities: authority.cert })).toBe('nobody');
    expect(await answerOf(port, { authorities: authority.cert }, 'localhost')).toBe('nobody');
  });

  it('may be an intermediate one, or the certificate of the registry itself, as for Docker', async () => {
    const intermediate = authority.issueAuthority('intermediate');
    const { cert, key } = intermediate.issue('behind-intermediate', 'IP:127.0.0.1');
    const port = await startRegistry({ cert: cert + intermediate.cert, key });
    for (const authorities of [intermediate.cert, cert])
      expect(await answerOf(port, { authorities })).toBe('nobody');
    expect(await answerOf(port, { authorities: client.cert })).toMatch(/its certificate is not trusted/);
  });
});

describe('authorities of which one is broken', () => {
  it('are refused by its number, because Node trusts none after it', () => {
    const { cert } = authority;
    const problemOf = (authorities: string) =>
      certificateProblem({ authorities, insecure: false, hosts: [] })?.message;
    const cut = `${cert.slice(0, 200)}\n`;
    expect(problemOf(`# ours\n${cert}${client.cert}`)).toBeUndefined();
    expect(problemOf(`${cert}${cut}${client.cert}`)).toMatch(
      /^has a certificate 2 that cannot be read\. Copy it again/,
    );
    expect(problemOf(cut)).toMatch(/^has a certificate 1 that cannot be read/);
  });
});

describe('a client certificate', () => {
  it('is shown to the configured registry, and not to a host that the registry names', async () => {
    const port = await startRegistry({ requestCert: true, rejectUnauthorized: false });
    const tls = { authorities: authority.cert, ...pairOf(client) };
    expect(await answerOf(port, tls)).toBe('client');
    expect(await answerOf(port, tls, 'localhost')).toBe('nobody');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('that is missing is named: %s', async (version) => {
    const port = await startRegistry({ requestCert: true, maxVersion: version, minVersion: version });
    expect(await answerOf(port, { authorities: authority.cert })).toMatch(/it may want a client certificate/);
  });

  it.each(['-tls1_2', '-tls1_3'])('that the registry refuses is named: %s', async (version) => {
    const port = await startVerifyingServer(version);
    const refused = [
      makeAuthority(folder, `stranger${version}`).issue(`unknown${version}`, 'DNS:regshift'),
      authority.issue(`for-servers${version}`, 'DNS:regshift', 'extendedKeyUsage=serverAuth'),
      authority.issueExpired(`expired${version}`, 'DNS:regshift'),
    ];
    for (const each of refused) {
      expect(await answerOf(port, { authorities: authority.cert, ...pairOf(each) })).toMatch(
        /\(ERR_SSL_\w+: it refuses the client certificate; check REGSHIFT_UPSTREAM_CERT\)/,
      );
    }
  });
});

describe('a registry without verification', () => {
  it('is the configured one only', async () => {
    const port = await startRegistry();
    expect(await answerOf(port, { insecure: true })).toBe('nobody');
    expect(await answerOf(port, { insecure: true }, 'localhost')).toMatch(/is not trusted/);
  });
});

describe('the message names', () => {
  it('a registry that speaks plain HTTP at an https address', async () => {
    const { port, stop } = await listen(createPlainServer());
    onTestFinished(() => stop());
    expect(await answerOf(port, undefined)).toMatch(
      /it does not speak TLS; check https:\/\/ against http:\/\//,
    );
  });

  it('a registry that speaks TLS 1.1', async () => {
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const port = await startRegistry({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers });
    expect(await answerOf(port, { authorities: authority.cert })).toMatch(
      /it does not speak TLS 1\.2 or later/,
    );
  });

  it('a registry without a certificate for the name', async () => {
    // A fatal alert `unrecognized_name` (RFC 8446, section 6.2), as nginx sends with `ssl_reject_handshake`.
    const alert = Uint8Array.of(21, 3, 3, 0, 2, 2, 112);
    const refusing = createTcpServer((socket) => socket.once('data', () => socket.end(alert)));
    await once(refusing.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void refusing.close());
    const { port } = refusing.address() as AddressInfo;
    expect(await answerOf(port, { authorities: authority.cert }, 'localhost')).toMatch(
      /it has no certificate for this name/,
    );
  });

  it('a certificate that is not for servers', async () => {
    const port = await startRegistry(
      authority.issue('for-clients', 'IP:127.0.0.1', 'extendedKeyUsage=clientAuth'),
    );
    expect(await answerOf(port, { authorities: authority.cert })).toMatch(
      /its certificate is not for servers/,
    );
  });

  it('a certificate with a short key', async () => {
    // The OpenSSL of Node 22 still takes 1024 bits.
    const short = `req -x509 -newkey rsa:768 -nodes -keyout short.key -out short.pem -subj /CN=short -addext subjectAltName=IP:127.0.0.1`;
    execFileSync('openssl', short.split(' '), { cwd: folder, stdio: 'pipe' });
    const [cert, key] = ['short.pem', 'short.key'].map((name) => readFileSync(join(folder, name), 'utf8'));
    const port = await startRegistry({ cert: `${cert}`, key: `${key}`, ciphers: 'DEFAULT@SECLEVEL=0' });
    expect(await answerOf(port, { authorities: `${cert}` })).toMatch(
      /X509_EE_CERTIFICATE_KEY_TOO_WEAK: its certificate is too weak/,
    );
  });

  it('a certificate with another fault', async () => {
    const port = await startRegistry(authority.issue('odd', 'IP:127.0.0.1', '1.2.3.4=critical,DER:0500'));
    expect(await answerOf(port, { authorities: authority.cert })).toMatch(
      /X509_UNHANDLED_CRITICAL_EXTENSION: its certificate breaks a rule of X\.509/,
    );
  });
});
