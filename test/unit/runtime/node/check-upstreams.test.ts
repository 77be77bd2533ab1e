import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { expect, it, onTestFinished } from 'vitest';
import { readSettings } from '../../../../src/config/settings.ts';
import { serve } from '../../../../src/runtime/node/serve.ts';
import { makeCertificate } from '../../../support/certificate.ts';
import { checkedSettings } from '../../../support/checked-settings.ts';
import { temporaryFolder } from '../../../support/cli.ts';
import { listen } from '../../../support/listen.ts';
import { testSigningKey } from '../../../support/signing-key.ts';

/** Starts the proxy in front of these registries, and returns the warnings of its first look at them. */
async function warningsFor(upstream: string, variables: Record<string, string> = {}): Promise<unknown[]> {
  const key = { REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey), PORT: '0' };
  const read = readSettings({ REGSHIFT_UPSTREAM: upstream, ...key, ...variables });
  const logged: unknown[] = [];
  const running = await serve(await checkedSettings(read), (...line) => void logged.push(line));
  onTestFinished(() => running.close());
  await running.checkUpstreams();
  return logged;
}

/** A registry that answers each request alike. @returns its host and port. */
async function answering(listener: RequestListener): Promise<string> {
  const { host, stop } = await listen(createServer(listener));
  onTestFinished(stop);
  return host;
}

const warning = (registry: string, reason: string | RegExp) => [
  'warn',
  'the registry cannot be used',
  { route: 'all', registry, reason: typeof reason === 'string' ? reason : expect.stringMatching(reason) },
];

it.each([
  [200, 'application/json'],
  [401, 'text/html'],
  [403, 'text/html'],
  [429, 'text/plain'],
])('a registry that answers %i with %s gets one request, and no warning', async (status, type) => {
  const requests: unknown[] = [];
  const host = await answering(({ method, url }, response) => {
    requests.push(`${method} ${url}`);
    response.writeHead(status, { 'content-type': type }).end();
  });
  expect(await warningsFor(`http://${host}`)).toEqual([]);
  expect(requests).toEqual(['GET /v2/']);
});

it.each([
  [404, 'text/html', /^It answered 404 at \/v2\/: it is no registry, or its address has a wrong path\.$/],
  [200, 'text/html; charset=utf-8', /^It answered with a web page \(text\/html\) at \/v2\//],
  [502, 'text/html', /^Upstream answered 502 for the registry API v2/],
])('a server that answers %i with %s is named', async (status, type, reason) => {
  const host = await answering((_, response) => {
    response.writeHead(status, { 'content-type': type }).end('<html>');
  });
  expect(await warningsFor(`http://${host}`)).toEqual([warning(`http://${host}`, reason)]);
});

it('each dead mirror is named, and the scheme that is wrong', async () => {
  const host = await answering((_, response) => void response.end('{}'));
  const upstreams = `http://127.0.0.1:9,https://${host},http://${host}`;
  const warnings = await warningsFor(upstreams, { REGSHIFT_UPSTREAM_AUTH: 'anonymous' });
  expect(warnings).toHaveLength(2);
  expect(warnings).toEqual(
    expect.arrayContaining([
      warning('http://127.0.0.1:9', /ECONNREFUSED: nothing listens there/),
      warning(`https://${host}`, /it does not speak TLS; check https:\/\/ against http:\/\//),
    ]),
  );
});

it('a registry that wants TLS, or has an unknown certificate, is named', async () => {
  const server = createSecureServer(makeCertificate(temporaryFolder(), 'registry'), (_, response) => {
    response.end('{}');
  });
  const { port, stop } = await listen(server);
  onTestFinished(stop);
  expect(await warningsFor(`http://127.0.0.1:${port}`)).toEqual([
    warning(`http://127.0.0.1:${port}`, /check http:\/\/ against https:\/\/|check the port, proxies and TLS/),
  ]);
  expect(await warningsFor(`https://127.0.0.1:${port}`)).toEqual([
    warning(`https://127.0.0.1:${port}`, /its certificate is not trusted/),
  ]);
  // Go answers so, and docker-registry is a program in Go.
  const go = await answering((_, response) => {
    response.writeHead(400).end('Client sent an HTTP request to an HTTPS server.\n');
  });
  expect(await warningsFor(`http://${go}`)).toEqual([
    warning(`http://${go}`, /it speaks TLS there; check http:\/\/ against https:\/\//),
  ]);
});

it('the sample registry gets no warning', async () => {
  expect(await warningsFor('sample')).toEqual([]);
});

it('a login of the proxy that the registry refuses is named, and one that it takes is not', async () => {
  const taken = `Basic ${btoa('puller:right')}`;
  const host = await answering(({ headers }, response) => {
    const isKnown = headers.authorization === taken;
    response.writeHead(isKnown ? 200 : 401, { 'www-authenticate': 'Basic realm="x"' }).end('{}');
  });
  const account = (password: string) => ({
    REGSHIFT_UPSTREAM_AUTH: 'basic',
    REGSHIFT_UPSTREAM_USERNAME: 'puller',
    REGSHIFT_UPSTREAM_PASSWORD: password,
    REGSHIFT_CLIENT_AUTH: 'none',
  });
  expect(await warningsFor(`http://${host}`, account('wrong'))).toContainEqual(
    warning(`http://${host}`, /^It refuses the proxy's own account \(401\)/),
  );
  const lines = await warningsFor(`http://${host}`, account('right'));
  expect(lines).not.toContainEqual(warning(`http://${host}`, /./));
});
