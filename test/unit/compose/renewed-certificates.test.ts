import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSettingsFiles } from '../../../src/runtime/node/rotating-settings.ts';
import { serve } from '../../../src/runtime/node/serve.ts';
import { makeAuthority } from '../../support/certificate-authority.ts';
import { checkedSettings } from '../../support/checked-settings.ts';
import { rawRequest } from '../../support/raw-http.ts';
import { secretFolder } from '../../support/secret-folder.ts';

/** A registry that notes the common name of each client's certificate, and a proxy of it with the files of a secret. */
async function start(authorityOfRegistry = 'authority') {
  const { folder } = secretFolder({});
  const own = makeAuthority(folder, 'authority');
  const authority = authorityOfRegistry === 'authority' ? own : makeAuthority(folder, authorityOfRegistry);
  const server = authority.issue('registry', 'IP:127.0.0.1');
  const names: string[] = [];
  const registry = createServer(
    { cert: server.cert, key: server.key, ca: own.cert, requestCert: true },
    (request, response) => {
      names.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    },
  );
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    registry.closeAllConnections();
    registry.close();
  });
  const secret = (name: string) => {
    const { cert, key } = own.issue(name, 'DNS:regshift');
    return { 'tls.crt': cert, 'tls.key': key, 'ca.crt': own.cert };
  };
  const first = secret('first');
  const old = own.issueExpired('expired', 'DNS:regshift');
  const expired = { ...first, 'tls.crt': old.cert, 'tls.key': old.key };
  const mounted = secretFolder(first);
  const files = await createSettingsFiles({
    PORT: '0',
    HOST: '127.0.0.1',
    REGSHIFT_UPSTREAM: `https://127.0.0.1:${(registry.address() as AddressInfo).port}`,
    REGSHIFT_UPSTREAM_CA: mounted.path('ca.crt'),
    REGSHIFT_UPSTREAM_CERT: mounted.path('tls.crt'),
    REGSHIFT_UPSTREAM_KEY: mounted.path('tls.key'),
  });
  const read = files.read();
  const logged: (readonly [string, string])[] = [];
  const running = await serve(
    await checkedSettings(read),
    (level, message) => logged.push([level, message]),
    files,
  );
  onTestFinished(() => running.close());
  const { port } = new URL(running.url);
  const ping = async () => {
    names.length = 0;
    const { status } = await rawRequest({ port: Number(port), method: 'GET', path: '/v2/', headers: [] });
    return [status, ...names];
  };
  const renew = async (files: Readonly<Record<string, string>>) => {
    mounted.rotate(files);
    await running.reload();
  };
  return { ping, renew, secret, first, expired, authority, logged };
}

describe('certificates for a registry that are renewed in their files', () => {
  it('are shown from the next request on', async () => {
    const { ping, renew, secret, logged } = await start();
    expect(await ping()).toEqual([200, 'first']);
    await renew(secret('second'));
    expect(await ping()).toEqual([200, 'second']);
    expect(logged).toContainEqual(['info', 'renewed certificates are used for the registry']);
  });

  it('verify a registry whose authority was added', async () => {
    const { ping, renew, first, authority } = await start('next-authority');
    expect(await ping()).toEqual([502]);
    await renew({ ...first, 'ca.crt': `${first['ca.crt']}${authority.cert}` });
    expect(await ping()).toEqual([200, 'first']);
  });

  it('stay as they were while the key belongs to another certificate, and the log says so once', async () => {
    const { ping, renew, secret, first, logged } = await start();
    const second = secret('second');
    await renew({ ...first, 'tls.crt': second['tls.crt'] });
    expect(await ping()).toEqual([200, 'first']);
    expect(await ping()).toEqual([200, 'first']);
    const message = 'the new certificates for the registry cannot be used: going on with the old ones';
    expect(logged.filter(([, each]) => each === message)).toEqual([['warn', message]]);
    await renew(second);
    expect(await ping()).toEqual([200, 'second']);
  });

  it('are warned of when they have expired', async () => {
    const { ping, renew, expired, logged } = await start();
    await renew(expired);
    expect((await ping())[0]).toBe(502);
    const message = 'the certificate in REGSHIFT_UPSTREAM_CERT has expired: the registry will refuse it';
    expect(logged).toContainEqual(['warn', message]);
  });
});
