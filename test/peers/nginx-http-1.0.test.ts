import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Nginx, startNginx } from '../bench/nginx.ts';
import { makeCertificate } from '../support/certificate.ts';
import {
  blobPath,
  breakingOff,
  type LengthlessRegistry,
  startLengthlessRegistry,
  untilSendTimeout,
} from '../support/lengthless-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { rawRequest } from '../support/raw-http.ts';

/** Without `proxy_http_version`, nginx sends HTTP/1.0, where a body without a length ends with its connection. */
describe.skipIf(requirePeers('nginx', 'openssl')).each(['http', 'https'])('nginx before %s', (scheme) => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-nginx-1.0-'));
  let registry: LengthlessRegistry;
  let proxy: RunningProxy;
  let nginx: Nginx;
  let blob = breakingOff;
  beforeAll(async () => {
    registry = await startLengthlessRegistry((response) => blob(response));
    const { cert, key } = makeCertificate(folder, 'one');
    const tls = { REGSHIFT_TLS_CERT: cert, REGSHIFT_TLS_KEY: key };
    proxy = await startProxy(registry.url, scheme === 'https' ? tls : {});
    nginx = await startNginx(
      `location / { proxy_pass ${scheme}://127.0.0.1:${proxy.port}; proxy_buffering off; }`,
    );
  });
  afterAll(async () => {
    await nginx?.stop();
    await proxy?.stop();
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = () => rawRequest({ port: nginx.port, method: 'GET', path: blobPath, headers: [] });

  it('gives its client no answer for whole that has broken off', async () => {
    blob = breakingOff;
    await expect(ask()).rejects.toThrow(/before it was whole|ECONNRESET/);
    blob = (response) => void response.end('whole');
    const { status, body } = await ask();
    expect([status, new TextDecoder().decode(body)]).toEqual([200, 'whole']);
  });

  it('gives none to a client that does not read until upstream hangs up', async () => {
    blob = untilSendTimeout;
    const client = connect(nginx.port, '127.0.0.1');
    client.write(`GET ${blobPath} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await sleep(1_500);
    const ended = new Promise<string>((resolve) => {
      client.on('error', ({ message }) => resolve(message));
      client.on('end', () => resolve('end'));
    });
    let text = '';
    client.on('data', (chunk) => {
      text = (text + chunk.toString('latin1')).slice(-1_000);
    });
    await ended;
    expect(text.length).toBe(1_000);
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
  });
});
