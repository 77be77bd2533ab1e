import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSigningKey } from '../../../../converters/crypto/signing-key.ts';
import { makeAuthority } from '../../../support/certificate-authority.ts';
import { regshift, temporaryFolder } from '../../../support/cli.ts';
import { testSigningKey } from '../../../support/signing-key.ts';

const key = JSON.stringify(testSigningKey);

describe('regshift check-config', () => {
  it('prints the routes of valid settings', async () => {
    const env = { REGSHIFT_UPSTREAM: 'https://registry.example', REGSHIFT_SIGNING_KEY: key, PORT: '81' };
    const { code, out, err } = await regshift(['check-config'], { env });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^all +https:\/\/registry\.example\/ +passthrough +none: the registry decides +auto +stream$/m,
    );
    expect(out).toMatch(/^listens on http:\/\/127\.0\.0\.1:81$/m);
    expect(out).toContain((await readSigningKey(key)).id);
    expect(out).toContain('set: PORT, REGSHIFT_UPSTREAM, REGSHIFT_SIGNING_KEY');
    expect(out).not.toContain(testSigningKey.d);
  });

  it('prints the same as JSON', async () => {
    const { code, json } = await regshift(['check-config', '--json']);
    expect(code).toBe(0);
    expect(json()).toMatchObject({ valid: true, set: [], routes: [{ route: 'all', form: 'auto' }] });
  });

  it('prints every problem, and no secret', async () => {
    const file = join(temporaryFolder(), 'key.pem');
    writeFileSync(file, 'secret, and no key');
    const env = {
      REGSHIFT_UPSTREAM: 'registry.example',
      REGSHIFT_FROMAT: 'oci',
      PORT: 'x',
      REGSHIFT_SIGNING_KEY: file,
    };
    const { code, out, err } = await regshift(['check-config'], { env });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    for (const name of Object.keys(env)) expect(err).toMatch(new RegExp(`^${name} (?:is|must|cannot) `, 'm'));
    expect(err).not.toContain('secret');
    const machines = await regshift(['check-config', '--json'], { env });
    expect(machines.code).toBe(2);
    expect(machines.json<{ problems: unknown[] }>().problems).toHaveLength(4);
  });

  it.each([
    ['REGSHIFT_STORE', 'file:///dev/null', /^REGSHIFT_STORE is file:\/\/\/dev\/null: it must name a folder/m],
    ['REGSHIFT_STORE', 'layers', /^REGSHIFT_STORE is "layers": it must be/m],
  ])('prints the problem of %s=%s beside those of other settings', async (variable, value, line) => {
    const env = { [variable]: value, REGSHIFT_TAG_TTL: 'x' };
    const { code, err } = await regshift(['check-config'], { env });
    expect(code).toBe(2);
    expect(err).toMatch(line);
    expect(err).toMatch(/^REGSHIFT_TAG_TTL is "x"/m);
    expect(err.match(/REGSHIFT_STORE/g)).toHaveLength(1);
  });

  it('prints the outbound proxies of the environment without their logins, and refuses SOCKS', async () => {
    const env = { HTTPS_PROXY: 'http://user:hunter2@proxy.example:3128' };
    const { code, out } = await regshift(['check-config'], { env });
    expect(code).toBe(0);
    expect(out).toMatch(/^outbound proxy proxy\.example:3128$/m);
    expect(out).not.toContain('hunter2');
    const socks = await regshift(['check-config'], { env: { https_proxy: 'socks5://proxy.example' } });
    expect(socks.code).toBe(2);
    expect(socks.err).toMatch(
      /^https_proxy is "socks5:\/\/proxy.example": it must be the URL of an HTTP proxy/m,
    );
  });

  it('warns of REGSHIFT_UPSTREAM where each route has its own upstream', async () => {
    const file = join(temporaryFolder(), 'routes.yaml');
    writeFileSync(file, 'routes:\n  - upstream: https://registry.example\n');
    const env = { REGSHIFT_CONFIG: file, REGSHIFT_UPSTREAM: 'http://127.0.0.1:5555' };
    const { code, err } = await regshift(['check-config'], { env });
    expect({ code, err }).toEqual({
      code: 0,
      err: 'warning: REGSHIFT_UPSTREAM has no effect: each route in REGSHIFT_CONFIG has its own upstream.\n',
    });
  });

  it.each([
    [
      { REGSHIFT_STORE_BLOBS: 'all' },
      'REGSHIFT_STORE_BLOBS=all has no effect: REGSHIFT_STORE names no store.',
    ],
    [{ REGSHIFT_STORE_BLOBS: 'all', REGSHIFT_STORE: 's3://layers?region=eu-central-1' }, undefined],
    [
      { REGSHIFT_MIRROR_MISS: 'next' },
      'REGSHIFT_MIRROR_MISS=next has no effect: REGSHIFT_UPSTREAM names one registry, and no second one.',
    ],
    [
      {
        REGSHIFT_MIRROR_MISS: 'next',
        REGSHIFT_UPSTREAM: 'https://one.example,https://two.example',
        REGSHIFT_UPSTREAM_AUTH: 'anonymous',
      },
      undefined,
    ],
    [
      { REGSHIFT_STORE_BYTES: '20GB' },
      'REGSHIFT_STORE_BYTES has no effect: REGSHIFT_STORE names no folder. Rules of a bucket limit its bytes.',
    ],
    [
      { REGSHIFT_STORE_BYTES: '20GB', REGSHIFT_STORE: 's3://layers?region=eu-central-1' },
      'REGSHIFT_STORE_BYTES has no effect: REGSHIFT_STORE names no folder. Rules of a bucket limit its bytes.',
    ],
    [{ REGSHIFT_STORE_BYTES: '20GB', REGSHIFT_STORE: 'file:///tmp/regshift-layers' }, undefined],
    [
      { REGSHIFT_TOKEN_RELAY: 'never', REGSHIFT_UPSTREAM_AUTH: 'anonymous' },
      'REGSHIFT_TOKEN_RELAY=never has no effect: clients get tokens with REGSHIFT_UPSTREAM_AUTH=passthrough alone.',
    ],
    [{ REGSHIFT_TOKEN_RELAY: 'never' }, undefined],
    [
      { REGSHIFT_PUSH_FORMAT: 'oci', REGSHIFT_UPSTREAM_AUTH: 'anonymous' },
      'REGSHIFT_PUSH_FORMAT has no effect: REGSHIFT_PUSH lets no push through.',
    ],
    [
      { REGSHIFT_PUSH_LOSSES: 'refuse', REGSHIFT_PUSH: 'refuse' },
      'REGSHIFT_PUSH_LOSSES has no effect: REGSHIFT_PUSH lets no push through.',
    ],
    [{ REGSHIFT_PUSH_FORMAT: 'oci', REGSHIFT_PUSH_LOSSES: 'refuse' }, undefined],
  ])('warns of a setting that another one lets do nothing: %j', async (set, warning) => {
    const env = { REGSHIFT_UPSTREAM: 'https://registry.example', ...set };
    const { code, err } = await regshift(['check-config'], { env });
    expect({ code, err }).toEqual({ code: 0, err: warning === undefined ? '' : `warning: ${warning}\n` });
  });

  it('warns of a setting that does nothing on each route that has it', async () => {
    const file = join(temporaryFolder(), 'routes.yaml');
    const own = (name: string, more = '') =>
      `  - upstream: https://${name}.example\n    match: { host: ${name}.test }\n${more}`;
    const config = (more: string) =>
      `routes:\n${own('one', '    pushFormat: oci\n    push: refuse\n')}${own('two', more)}`;
    const env = { REGSHIFT_CONFIG: file };
    writeFileSync(file, config(''));
    expect((await regshift(['check-config'], { env })).err).toBe(
      'warning: REGSHIFT_PUSH_FORMAT has no effect: REGSHIFT_PUSH lets no push through.\n',
    );
    writeFileSync(file, config('    pushFormat: oci\n'));
    expect((await regshift(['check-config'], { env })).err).toBe('');
  });

  it('refuses a client certificate that cannot be used', async () => {
    const env = {
      REGSHIFT_UPSTREAM: 'https://registry.example',
      REGSHIFT_UPSTREAM_CERT: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      REGSHIFT_UPSTREAM_KEY: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----',
    };
    const { code, err } = await regshift(['check-config'], { env });
    expect(code).toBe(2);
    expect(err).toMatch(/^REGSHIFT_UPSTREAM_CERT cannot be used: it must be a certificate in PEM/m);
    expect(err).not.toContain('AAAA');
  });

  it('warns of a client certificate that has expired, once for all routes', async () => {
    const { cert, key } = makeAuthority(temporaryFolder(), 'authority').issueExpired(
      'client',
      'DNS:regshift',
    );
    const env = {
      REGSHIFT_UPSTREAM: 'https://registry.example',
      REGSHIFT_UPSTREAM_CERT: cert,
      REGSHIFT_UPSTREAM_KEY: key,
    };
    const { code, err } = await regshift(['check-config'], { env });
    const message = 'the certificate in REGSHIFT_UPSTREAM_CERT has expired: the registry will refuse it';
    expect({ code, err }).toEqual({ code: 0, err: `warning: ${message}\n` });
  });

  it('does not print a truncated key that looks like a path', async () => {
    const { code, err } = await regshift(['check-config'], {
      env: { REGSHIFT_SIGNING_KEY: 'MHcCAQEEIsecret' },
    });
    expect(code).toBe(2);
    expect(err).toContain('is neither a key nor a path to a readable file');
    expect(err).not.toContain('secret');
  });
});
