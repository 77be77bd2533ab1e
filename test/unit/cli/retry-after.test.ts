import { createServer, request as sendRequest } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { regshift } from '../../support/cli.ts';
import { listen } from '../../support/listen.ts';
import { startUploadRegistry } from '../../support/upload-registry.ts';
import { useSampleServer } from '../../support/use-sample-server.ts';

const samples = useSampleServer();

/**
 * A server in front of a registry that refuses the first requests for each manifest, by each method.
 * @param status 429 or 503. @param times the number of those that it refuses.
 */
async function limited(registry: string, headers: Readonly<Record<string, string>>, status = 429, times = 1) {
  const seen = new Map<string, number>();
  const server = createServer((request, response) => {
    const { method, url = '' } = request;
    const key = `${method} ${url}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
    if (url.includes('/manifests/') && (seen.get(key) ?? 0) <= times) {
      request.resume();
      response.writeHead(status, headers).end();
      return;
    }
    const sent = sendRequest(new URL(url, registry), { method, headers: request.headers }, (got) => {
      response.writeHead(got.statusCode ?? 500, got.headers);
      got.pipe(response);
    });
    request.pipe(sent);
  });
  const { host, stop } = await listen(server);
  onTestFinished(() => stop());
  return { host, seen };
}

describe('a registry that limits requests', () => {
  it('is asked again after the time that it names, with a note', async () => {
    const { host } = await limited(samples.url, { 'retry-after': '1' });
    const { code, err } = await regshift(['verify', `${host}/sample/oci`]);
    expect(code).toBe(0);
    expect(err).toContain(`${host} limits requests (429), next try in 1 s\n`);
  });

  it('is asked again at the date that it names', async () => {
    const soon = new Date(Date.now() + 2_000).toUTCString();
    const { host } = await limited(samples.url, { 'retry-after': soon });
    expect(await regshift(['verify', `${host}/sample/oci`])).toMatchObject({ code: 0 });
  });

  it('is asked five times, and its refusal ends the waits of all other requests', async () => {
    const { host, seen } = await limited(samples.url, { 'retry-after': '0' }, 429, 9);
    const { code, err } = await regshift(['verify', `${host}/sample/oci`]);
    expect(code).toBe(1);
    expect(err).toContain('answered 429 for the manifest');
    expect(err.match(/next try in 1 s/g)).toHaveLength(4);
    expect([...seen.values()].filter((count) => count > 1)).toEqual([5]);
  });

  it('has the last word where the time for the request is over during the wait', async () => {
    const { host } = await limited(samples.url, { 'retry-after': '60' });
    const env = { REGSHIFT_UPSTREAM_TIMEOUT: '1' };
    const { code, err } = await regshift(['verify', `${host}/sample/oci`], { env });
    expect(code).toBe(1);
    expect(err).toContain('answered 429 for the manifest');
    expect(err).not.toContain('had no answer');
  });

  it('is asked again after its maintenance', async () => {
    const { host } = await limited(samples.url, { 'retry-after': '1' }, 503);
    const { code, err } = await regshift(['verify', `${host}/sample/oci`]);
    expect(code).toBe(0);
    expect(err).toContain(`${host} is not available (503), next try in 1 s\n`);
  });

  it.each([429, 503])('gets a copy, whose manifest is sent again (%i)', async (status) => {
    const target = await startUploadRegistry();
    onTestFinished(() => target.stop());
    const { host, seen } = await limited(target.url, { 'retry-after': '0' }, status);
    const { code, err } = await regshift(['copy', `${samples.host}/sample/oci`, `${host}/copied:1`]);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(seen.get('PUT /v2/copied/manifests/1')).toBe(2);
  });

  it('shows the wait on a terminal in one line, which is cleared', async () => {
    const { host } = await limited(samples.url, { 'retry-after': '1' });
    const { code, err } = await regshift(['verify', `${host}/sample/oci`], { terminal: 40 });
    expect(code).toBe(0);
    expect(err).not.toContain('\n');
    expect(err.endsWith(`\r${' '.repeat(39)}\r`)).toBe(true);
  });

  it.each([
    ['that names a long time', { 'retry-after': '3600' }],
    ['that names a date in an hour', { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() }],
    ['that names no time', {}],
    ['that names a text', { 'retry-after': 'soon' }],
  ])('%s is not asked again', async (_, headers) => {
    const { host, seen } = await limited(samples.url, headers);
    const { code, err } = await regshift([
      'save',
      `${host}/sample/oci`,
      '--for',
      'podman',
      '-o',
      '/dev/null',
    ]);
    expect(code).toBe(1);
    expect(err).toContain('429');
    expect(Math.max(...seen.values())).toBe(1);
  });
});
