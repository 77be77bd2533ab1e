import { mkdtempSync, rmSync } from 'node:fs';
import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getSecure } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { close, createProxyServer, listen, urlOf } from '../../../../../src/runtime/node/http/server.ts';
import { makeCertificate } from '../../../../support/certificate.ts';
import { requirePeers } from '../../../../support/programs.ts';

const withoutOpenssl = requirePeers('openssl');

it.for(['http', 'https'])(
  'an idle %s connection outlives those that proxies in front keep',
  async (scheme, { skip }) => {
    if (scheme === 'https' && withoutOpenssl) skip();
    const server = createProxyServer({
      listen: (_, response) => void response.end(),
      cut: () => false,
      lastResponses: () => undefined,
      certificate: scheme === 'https' ? temporaryCertificate() : undefined,
    });
    const url = urlOf(await listen(server, '127.0.0.1', 0));
    onTestFinished(() => close(server));
    const get = scheme === 'https' ? getSecure : getPlain;
    const { headers } = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { rejectUnauthorized: false, headers: { connection: 'keep-alive' } }, (response) =>
        resolve(response.resume()),
      ).on('error', reject);
    });
    const seconds = Number(/^timeout=(\d+)$/.exec(String(headers['keep-alive']))?.[1]);
    // Google's Application Load Balancer keeps a connection for 600 s, which its users cannot change.
    expect(seconds).toBeGreaterThan(600);
  },
);

function temporaryCertificate() {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-idle-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return { ...makeCertificate(folder, 'idle'), notBefore: 0, notAfter: Date.now() };
}
