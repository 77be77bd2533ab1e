import { expect, test } from 'vitest';
import { redacted, redactedPath } from '../../../src/config/redacted.ts';
import { variables } from '../../../src/config/schema.ts';

const secrets = [
  'REGSHIFT_UPSTREAM_KEY',
  'REGSHIFT_SIGNING_KEY',
  'REGSHIFT_REDIS_URL',
  'REGSHIFT_UPSTREAM_USERNAME',
  'REGSHIFT_UPSTREAM_PASSWORD',
  'REGSHIFT_DOCKER_CONFIG',
  'REGSHIFT_GOOGLE_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AZURE_CLIENT_SECRET',
  'REGSHIFT_HTPASSWD',
  'REGSHIFT_JWKS',
  'REGSHIFT_EVENTS_SECRET',
  'REGSHIFT_TLS_KEY',
];

test('the settings whose value is never shown', () => {
  const never = variables.filter((variable) => redacted(variable, 'registry.example') === '(not shown)');
  expect(never.toSorted()).toEqual(secrets.toSorted());
});

test.each([
  ['REGSHIFT_JWKS_URL', 'http://idp.example/keys', '"http://idp.example/keys"'],
  ['REGSHIFT_PUBLIC_URL', 'https://[::1]:8080', '"https://[::1]:8080"'],
  ['REGSHIFT_UPSTREAM_PROXY', 'socks5://proxy.example:1080', '"socks5://proxy.example:1080"'],
  ['REGSHIFT_UPSTREAM_PROXY', 'socks5://me:secret@proxy.example:1080', '(not shown)'],
  ['HTTPS_PROXY', 'http://me:pass word@proxy.example', '(not shown)'],
  ['https_proxy', 'me:secret@proxy.example', '(not shown)'],
  ['AWS_ENDPOINT_URL_ECR', 'https://a.test/?X-Amz-Signature=1', '(not shown)'],
  ['REGSHIFT_CONFIG', '{"upstreamPassword": "hunter2"}', '(not shown)'],
  ['REGSHIFT_UPSTREAM_CA', '/etc/ssl/ca.pem', '"/etc/ssl/ca.pem"'],
])('%s=%s is shown as %s', (variable, value, shown) => {
  expect(redacted(variable, value)).toBe(shown);
});

test.each([
  ['REGSHIFT_UPSTREAM_CERT', './client.pem', '"./client.pem"'],
  ['REGSHIFT_UPSTREAM_CERT', 'MII+secret=', '(not shown)'],
  ['REGSHIFT_UPSTREAM_KEY', '/etc/ssl/key.pem', '(not shown)'],
  ['REGSHIFT_UPSTREAM_PASSWORD_FILE', '/run/secrets/password', '(not shown)'],
])('the path %s=%s is shown as %s', (variable, path, shown) => {
  expect(redactedPath(variable, path)).toBe(shown);
});
