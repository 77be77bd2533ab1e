import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readSettings } from '../../../../../src/config/settings.ts';
import type { Log } from '../../../../../src/observability/log.ts';
import { serve } from '../../../../../src/runtime/node/serve.ts';
import { makeCertificate, type TestCertificate } from '../../../../support/certificate.ts';
import { checkedSettings } from '../../../../support/checked-settings.ts';
import { regshift, temporaryFolder } from '../../../../support/cli.ts';
import { requirePeers } from '../../../../support/programs.ts';
import { verifyingHandshake } from '../../../../support/verifying-handshake.ts';

let one: TestCertificate;
let other: TestCertificate;
let old: TestCertificate;
let ed25519: TestCertificate;

async function start(variables: Record<string, string>, log: Log = () => {}) {
  const read = readSettings({ PORT: '0', ...variables });
  const running = await serve(await checkedSettings(read), log);
  onTestFinished(() => running.close());
  return { ...running, port: Number(new URL(running.url).port) };
}

const tlsOf = ({ cert, key }: TestCertificate) => ({ REGSHIFT_TLS_CERT: cert, REGSHIFT_TLS_KEY: key });

async function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, resolve);
  socket.once('error', reject);
  onTestFinished(() => void socket.destroy());
  await promise;
  return socket;
}

/** Sends bytes, and collects the response until the connection ends. */
async function sendBytes(port: number, bytes: Uint8Array) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connectPlain(port, '127.0.0.1', () => socket.write(bytes));
  const received: Uint8Array[] = [];
  const started = performance.now();
  socket.on('data', (chunk) => received.push(chunk));
  socket.on('error', () => undefined);
  socket.on('close', resolve);
  await promise;
  return { milliseconds: performance.now() - started, received: Buffer.concat(received) };
}

describe.skipIf(requirePeers('openssl'))('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-tls-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeAll(() => {
    one = makeCertificate(folder, 'one');
    other = makeCertificate(folder, 'other');
    old = makeCertificate(folder, 'old', -1);
    ed25519 = makeCertificate(folder, 'ed25519', 90, 'IP:127.0.0.1', 'ed25519');
  });

  it('is spoken with the certificate that is set, and https is where clients are sent', async () => {
    const { url, port } = await start(tlsOf(one));
    expect(url).toBe(`https://127.0.0.1:${port}`);
    const socket = await handshake(port, { rejectUnauthorized: true, ca: one.cert });
    expect(socket.getPeerCertificate().subject.CN).toBe('one');
    socket.write('GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const [answer] = await socket.toArray();
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  /**
   * The TLS client of Go 1.4, which Docker 1.6 is built with: no TLS 1.3, curve P-256, and these suites
   * (crypto/tls/cipher_suites.go).
   */
  it.each(['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-SHA', 'ECDHE-RSA-AES256-SHA'])(
    'is understood by an engine of 2015: %s',
    async (ciphers) => {
      const { port } = await start(tlsOf(one));
      const sigalgs = 'RSA+SHA256:ECDSA+SHA256:RSA+SHA1:ECDSA+SHA1';
      const socket = await handshake(port, { ciphers, maxVersion: 'TLSv1.2', ecdhCurve: 'P-256', sigalgs });
      expect(socket.getCipher().name).toBe(ciphers);
      expect(socket.getProtocol()).toBe('TLSv1.2');
    },
  );

  it('is no older than 1.2, and carries HTTP/1 alone', async () => {
    const { port } = await start(tlsOf(one));
    const tooOld = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    await expect(handshake(port, tooOld)).rejects.toThrow(/protocol version/);
    const socket = await handshake(port, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
    const old = await handshake(port, { ALPNProtocols: ['http/1.0'] });
    expect(old.alpnProtocol).toBe('http/1.0');
  });

  it('takes over a certificate that was renewed, and not one whose key does not fit', async () => {
    const folder = temporaryFolder();
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(cert, one.cert);
    writeFileSync(key, one.key);
    const logged: string[] = [];
    const running = await start({ REGSHIFT_TLS_CERT: cert, REGSHIFT_TLS_KEY: key }, (level, message, facts) =>
      logged.push(`${level} ${message} ${JSON.stringify(facts)}`),
    );
    const served = async () => (await handshake(running.port)).getPeerCertificate().subject.CN;
    writeFileSync(cert, other.cert);
    await running.reload();
    await running.reload();
    expect(await served()).toBe('one');
    expect(logged.filter((line) => line.startsWith('warn the new certificate cannot be used'))).toHaveLength(
      1,
    );
    writeFileSync(key, other.key);
    await running.reload();
    expect(await served()).toBe('other');
    expect(logged.join()).toContain('a new certificate is served');
    for (const secret of [one.key, other.key]) expect(logged.join()).not.toContain(secret.slice(100, 140));
  });

  it('logs a failed handshake on every port', async () => {
    const failed: unknown[] = [];
    const { port } = await start(tlsOf(one), (_level, message, facts) => {
      if (message === 'a TLS handshake failed') failed.push(facts?.reason);
    });
    await fetch(`http://127.0.0.1:${port}/v2/`);
    expect(failed).toEqual(['http request']);
  });

  it('logs the date of a served certificate that has expired as the cause of a failed handshake', async () => {
    const folder = temporaryFolder();
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const write = (pair: TestCertificate) => {
      writeFileSync(cert, pair.cert);
      writeFileSync(key, pair.key);
    };
    write(one);
    const causes: unknown[] = [];
    const running = await start(
      { REGSHIFT_TLS_CERT: cert, REGSHIFT_TLS_KEY: key },
      (_, message, facts) => message === 'a TLS handshake failed' && causes.push(facts?.cause),
    );
    write(old);
    await running.reload();
    await verifyingHandshake(running.port);
    expect(causes).toEqual([
      expect.stringMatching(/^the certificate in REGSHIFT_TLS_CERT expired on 20\d\d-\d\d-\d\d: put a /),
    ]);
  });

  it('warns of a certificate that has expired', async () => {
    const warned: string[] = [];
    await start(tlsOf(old), (level, message) => level === 'warn' && warned.push(message));
    expect(warned).toContain('the certificate in REGSHIFT_TLS_CERT has expired: clients will refuse it');
  });

  const reads = async (certificate: TestCertificate) => {
    const warned: string[] = [];
    await start(tlsOf(certificate), (level, message) => level === 'warn' && warned.push(message));
    const { code, err } = await regshift(['check-config'], { env: tlsOf(certificate) });
    const json = await regshift(['check-config', '--json'], { env: tlsOf(certificate) });
    const { warnings } = json.json<{ warnings: string[] }>();
    return { code, warned, err, warnings };
  };

  it('warns at the start and in check-config of Ed25519, which engines before Go 1.13 do not know', async () => {
    const { code, warned, err, warnings } = await reads(ed25519);
    expect(code).toBe(0);
    expect(warnings).toEqual([expect.stringMatching(/uses Ed25519: Docker up to 19\.03\.8,/)]);
    expect(warned).toEqual(expect.arrayContaining(warnings));
    expect(err).toBe(`warning: ${warnings[0]}\n`);
    expect((await reads(one)).warnings).toEqual([]);
  });

  it('warns at the start and in check-config of a common name alone, which Go does not read since 1.15', async () => {
    const { code, warned, err, warnings } = await reads(makeCertificate(folder, 'nameless', 90, ''));
    expect(code).toBe(0);
    expect(warnings).toEqual([
      expect.stringMatching(/has no subjectAltName: containerd, podman, newer Docker/),
    ]);
    expect(warned).toEqual(expect.arrayContaining(warnings));
    expect(err).toBe(`warning: ${warnings[0]}\n`);
  });

  it('finds Ed25519 in the certificates after the first one', async () => {
    const chain = { cert: `${one.cert}${ed25519.cert}`, key: one.key };
    expect((await reads(chain)).warnings).toEqual([expect.stringContaining('uses Ed25519')]);
  });

  it('check-config tells of a certificate that has expired', async () => {
    const { code, err } = await reads(old);
    expect(code).toBe(0);
    expect(err).toContain('warning: the certificate in REGSHIFT_TLS_CERT has expired');
  });

  it.each([
    [
      'a key of another certificate',
      () => ({ ...tlsOf(one), REGSHIFT_TLS_KEY: other.key }),
      /^.*REGSHIFT_TLS_KEY has a key that does not belong to the first certificate in REGSHIFT_TLS_CERT$/m,
    ],
    [
      'no certificate',
      () => ({ ...tlsOf(one), REGSHIFT_TLS_CERT: one.key }),
      /REGSHIFT_TLS_CERT has a private key and no certificate\. It must be PEM that begins with the/,
    ],
    [
      'no key',
      () => ({ ...tlsOf(one), REGSHIFT_TLS_KEY: one.cert }),
      /REGSHIFT_TLS_KEY has no private key in PEM\. It must be a private key in PEM without a/,
    ],
    [
      'no file',
      () => ({ ...tlsOf(one), REGSHIFT_TLS_KEY: '/no/such' }),
      /REGSHIFT_TLS_KEY.*can be read \(ENOENT\)/,
    ],
    [
      'no certificate to the key',
      () => ({ REGSHIFT_TLS_KEY: one.key }),
      /REGSHIFT_TLS_CERT is not set: it must be/,
    ],
  ] as const)('%s stops the start and does not pass check-config', async (_what, variables, told) => {
    const checked = await regshift(['check-config'], { env: variables() });
    expect(checked.code).toBe(2);
    expect(checked.err).toMatch(told);
    expect(checked.err).not.toContain('BEGIN');
    await expect(start(variables())).rejects.toThrow(told);
  });

  it('names the files of a wrong pair, what they have, and what they should have', async () => {
    const files = temporaryFolder();
    const path = (name: string) => join(files, name);
    const der = Buffer.from(one.cert.replace(/-----[^-]+-----/g, ''), 'base64');
    writeFileSync(path('one.pem'), one.cert);
    writeFileSync(path('one.key'), one.key);
    writeFileSync(path('other.key'), other.key);
    writeFileSync(path('chain.pem'), `${one.cert}${other.cert}`);
    writeFileSync(path('cli.ht'), 'alice:secret');
    writeFileSync(path('one.der'), der);
    const told = async (cert: string, key: string) => {
      const env = { REGSHIFT_TLS_CERT: path(cert), REGSHIFT_TLS_KEY: path(key) };
      const { code, err } = await regshift(['check-config'], { env });
      expect(code).toBe(2);
      const [, ...lines] = err.trimEnd().replaceAll(`${files}/`, '').split('\n');
      return lines;
    };
    const needed = 'It must be PEM that begins with the certificate of this server';
    expect(await told('cli.ht', 'cli.ht')).toEqual([
      `REGSHIFT_TLS_CERT names the file cli.ht, which has no certificate in PEM. ${needed}`,
      'REGSHIFT_TLS_KEY names the file cli.ht, which has no private key in PEM. It must be a private key in PEM without a passphrase',
    ]);
    writeFileSync(path('cut.pem'), `${one.cert}${other.cert.slice(0, 200)}\n`);
    expect(await told('cut.pem', 'one.key')).toEqual([
      'REGSHIFT_TLS_CERT names the file cut.pem, which has a certificate 2 that cannot be read. Copy it again, from BEGIN to END',
    ]);
    expect(await told('one.der', 'one.key')).toEqual([
      `REGSHIFT_TLS_CERT names the file one.der, which is in DER or PKCS#12, and not in PEM. ${needed}`,
    ]);
    expect(await told('one.pem', 'other.key')).toEqual([
      'REGSHIFT_TLS_KEY names the file other.key, which has a key that does not belong to the first certificate in one.pem',
    ]);
    expect(await told('chain.pem', 'other.key')).toEqual([
      'REGSHIFT_TLS_KEY names the file other.key, which has a key that does not belong to the first certificate in chain.pem, but to certificate 2 there. Put that certificate first',
    ]);
  });

  it('a hello at the plain port is answered in HTTP, at once', async () => {
    const { port } = await start({});
    const { promise, resolve } = Promise.withResolvers<Error>();
    const started = performance.now();
    connect({ port, host: '127.0.0.1' }).once('error', resolve);
    // OpenSSL's names for bytes that it reads as a TLS record.
    expect(String(await promise)).toMatch(/wrong version number/);
    expect(performance.now() - started).toBeLessThan(500);
    // The first bytes of a ClientHello in a TLS 1.0 record, as Go of 2015 sends them.
    const { received, milliseconds } = await sendBytes(
      port,
      Uint8Array.of(22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3),
    );
    expect(received.toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(milliseconds).toBeLessThan(500);
  });

  it('HTTP at the TLS port is answered at once too', async () => {
    const { port } = await start(tlsOf(one));
    const { received, milliseconds } = await sendBytes(
      port,
      Buffer.from('GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n'),
    );
    expect(received.toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(milliseconds).toBeLessThan(500);
  });

  it('what is no HTTP is told so, and headers beyond 32 KiB too', async () => {
    const { port } = await start({});
    const nonsense = await sendBytes(port, Buffer.from('HELLO\r\n\r\n'));
    expect(nonsense.received.toString()).toMatch(/^HTTP\/1\.1 400 /);
    const long = `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(33_000)}\r\n\r\n`;
    expect((await sendBytes(port, Buffer.from(long))).received.toString()).toMatch(/^HTTP\/1\.1 431 /);
  });
});
