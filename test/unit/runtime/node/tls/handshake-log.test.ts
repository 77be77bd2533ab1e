import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect as connectPlain, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Facts, Log } from '../../../../../src/observability/log.ts';
import { close, createProxyServer, listen, urlOf } from '../../../../../src/runtime/node/http/server.ts';
import { createHandshakeLog } from '../../../../../src/runtime/node/tls/handshake-log.ts';
import { makeCertificate, type TestCertificate } from '../../../../support/certificate.ts';
import { requirePeers } from '../../../../support/programs.ts';
import { verifyingHandshake } from '../../../../support/verifying-handshake.ts';

interface Logged {
  readonly level: string;
  readonly message: string;
  readonly facts: Facts;
}

describe.skipIf(requirePeers('openssl'))('failed TLS handshakes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-handshakes-'));
  let rsa: TestCertificate;
  let ed25519: TestCertificate;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeAll(() => {
    rsa = makeCertificate(folder, 'rsa');
    ed25519 = makeCertificate(folder, 'ed25519', 90, 'IP:127.0.0.1', 'ed25519');
  });

  const dates = { notBefore: Date.UTC(2026, 0, 2), notAfter: Date.UTC(2026, 1, 1, 12) };

  async function start(certificate: TestCertificate, wall = Date.UTC(2026, 0, 10)) {
    const now = { milliseconds: 0 };
    const logged: Logged[] = [];
    const watchHandshakes = createHandshakeLog(
      (level, message, facts = {}) => void logged.push({ level, message, facts }),
      () => dates,
      () => now.milliseconds,
      () => new Date(wall),
    );
    const server = createProxyServer({
      listen: (_, response) => void response.end(),
      cut: () => false,
      lastResponses: () => undefined,
      certificate: { ...certificate, ...dates },
      watchHandshakes,
    });
    await listen(server, '127.0.0.1', 0);
    onTestFinished(() => close(server));
    return { port: Number(new URL(urlOf(server)).port), logged, now };
  }

  /** A handshake, with its error if it failed. */
  function handshake(port: number, options: ConnectionOptions = {}): Promise<Error | undefined> {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', resolve);
    return promise;
  }

  const said = (facts: Facts) => `${facts.reason}: ${facts.cause}`;

  it('names an engine that does not know the kind of key: the client of Go 1.12 has no Ed25519', async () => {
    const { port, logged } = await start(ed25519);
    const sigalgs = 'RSA+SHA256:ECDSA+SHA256:RSA+SHA1:ECDSA+SHA1';
    expect(await handshake(port, { maxVersion: 'TLSv1.2', sigalgs })).toBeInstanceOf(Error);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatchObject({ level: 'warn', message: 'a TLS handshake failed' });
    expect(logged[0]?.facts.clientAddress).toBe('127.0.0.1');
    expect(said(logged[0]?.facts ?? {})).toMatch(/^no .+: the client does not support the kind of key/);
  });

  it('names a client that does not trust the certificate', async () => {
    const { port, logged } = await start(rsa);
    await verifyingHandshake(port);
    expect(logged.map(({ facts }) => said(facts))).toEqual([
      expect.stringMatching(
        /alert.*: the client does not trust the certificate.* Or .* not in subjectAltName/,
      ),
    ]);
  });

  it.each([
    ['that has expired', Date.UTC(2026, 1, 1, 13), 'expired on 2026-02-01: put a renewed certificate there'],
    ['that is not yet valid', 0, 'is not valid before 2026-01-02: check the clock of this machine'],
  ])('names a certificate %s, with its date, in place of the trust', async (_, wall, cause) => {
    const { port, logged } = await start(rsa, wall);
    await verifyingHandshake(port);
    expect(logged.map(({ facts }) => facts.cause)).toEqual([`the certificate in REGSHIFT_TLS_CERT ${cause}`]);
    await fetch(`http://127.0.0.1:${port}/v2/`);
    expect(logged[1]?.facts.cause).toMatch(/^the client sent plain HTTP/);
  });

  it('names a client without TLS 1.2', async () => {
    const { port, logged } = await start(rsa);
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    await handshake(port, old);
    expect(logged.map(({ facts }) => said(facts))).toEqual([
      expect.stringMatching(/protocol: the client does not support TLS 1.2/),
    ]);
  });

  it('names a client that offers HTTP/2 alone', async () => {
    const { port, logged } = await start(rsa);
    await handshake(port, { ALPNProtocols: ['h2'] });
    await expect.poll(() => logged).toHaveLength(1);
    expect(logged[0]?.facts).toMatchObject({ cause: expect.stringContaining('offers no HTTP/1.1') });
  });

  it('names plain HTTP', async () => {
    const { port, logged } = await start(rsa);
    const response = await fetch(`http://127.0.0.1:${port}/v2/`);
    expect(response.status).toBe(400);
    expect(logged.map(({ facts }) => said(facts))).toEqual([
      'http request: the client sent plain HTTP: use https:// here',
    ]);
  });

  it('names a client that sends no hello, and leaves out one that is gone', () => {
    const said: unknown[] = [];
    const server = createServer();
    const log: Log = (_level, _message, facts) => void said.push(facts?.cause);
    createHandshakeLog(log, () => undefined)(server);
    const fail = (code: string) =>
      server.emit('tlsClientError', Object.assign(new Error('x'), { code }), new Socket());
    fail('ERR_TLS_HANDSHAKE_TIMEOUT');
    fail('EPIPE');
    fail('ERR_SSL_SOMETHING_ELSE');
    expect(said).toEqual([
      'the client did not end the handshake in time',
      'the client and this server did not agree',
    ]);
  });

  it('logs each cause once a minute, with the number of those between', async () => {
    const { port, logged, now } = await start(rsa);
    for (let tries = 0; tries < 3; tries++) await fetch(`http://127.0.0.1:${port}/v2/`);
    await verifyingHandshake(port);
    expect(logged).toHaveLength(2);
    now.milliseconds = 59_999;
    await fetch(`http://127.0.0.1:${port}/v2/`);
    expect(logged).toHaveLength(2);
    now.milliseconds = 60_000;
    await fetch(`http://127.0.0.1:${port}/v2/`);
    expect(logged).toHaveLength(3);
    expect(logged[2]?.facts).toMatchObject({ reason: 'http request', unlogged: 3 });
  });

  it('logs no handshake that succeeds, and no connection that closes without a word', async () => {
    const { port, logged } = await start(rsa);
    expect(await handshake(port)).toBeUndefined();
    const { promise, resolve } = Promise.withResolvers<void>();
    const probe = connectPlain(port, '127.0.0.1', () => probe.destroy());
    probe.once('close', () => resolve());
    await promise;
    // A connection that comes later, so that the probe's end has been seen.
    expect(await handshake(port)).toBeUndefined();
    expect(logged).toEqual([]);
  });
});
