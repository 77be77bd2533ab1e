import { expect, test } from 'vitest';
import { withheld } from '../../../src/config/problem.ts';
import { forEveryone, redacted, redactedPart, redactedPath } from '../../../src/config/redacted.ts';
import { variables } from '../../../src/config/schema.ts';
import { readSettings } from '../../../src/config/settings.ts';

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
  ['REGSHIFT_UPSTREAM_PROXY', 'socks5://me:secret@proxy.example:1080', withheld],
  ['HTTPS_PROXY', 'http://me:pass word@proxy.example', withheld],
  ['https_proxy', 'me:secret@proxy.example', withheld],
  ['AWS_ENDPOINT_URL_ECR', 'https://a.test/?X-Amz-Signature=1', withheld],
  ['REGSHIFT_UPSTREAM', 'registry', '"registry"'],
  ['REGSHIFT_UPSTREAM', 'my-registry', '"my-registry"'],
  ['REGSHIFT_UPSTREAM', 'hunter2', withheld],
  ['REGSHIFT_UPSTREAM', 'correct-horse-battery', withheld],
  ['REGSHIFT_UPSTREAM_ALIASES', 'registry:5000', '"registry:5000"'],
  ['REGSHIFT_UPSTREAM_ALIASES', 'https://me:secret@registry.example', withheld],
  ['upstreamAliases', 'https://me:secret@registry.example', withheld],
  ['REGSHIFT_STORE', '/var/lib/regshift', '"/var/lib/regshift"'],
  ['REGSHIFT_STORE', 'file:///var/lib/regshift', '"file:///var/lib/regshift"'],
  ['REGSHIFT_STORE', 's3://AKID:secret@layers', withheld],
  ['REGSHIFT_STORE', 's3://layers?secret_access_key=c2VjcmV0', withheld],
  ['REGSHIFT_TRUSTED_PROXIES', 'https://me:secret@proxy.example', withheld],
  ['REGSHIFT_CONFIG', '{"upstreamPassword": "hunter2"}', withheld],
  ['REGSHIFT_UPSTREAM_CA', '/etc/ssl/ca.pem', '"/etc/ssl/ca.pem"'],
])('%s=%s is shown as %s', (variable, value, shown) => {
  expect(redacted(variable, value)).toBe(shown);
});

test.each([
  ['REGSHIFT_UPSTREAM_CERT', './client.pem', '"./client.pem"'],
  ['REGSHIFT_UPSTREAM_CERT', 'MII+secret=', withheld],
  ['REGSHIFT_UPSTREAM_KEY', '/etc/ssl/key.pem', '(not shown)'],
  ['REGSHIFT_UPSTREAM_PASSWORD_FILE', '/run/secrets/password', '(not shown)'],
])('the path %s=%s is shown as %s', (variable, path, shown) => {
  expect(redactedPath(variable, path)).toBe(shown);
});

test.each([
  ['REGSHIFT_UPSTREAM_ALIASES', 'registry:5000', '"registry:5000"'],
  ['REGSHIFT_UPSTREAM_ALIASES', 'https://me:secret@registry.example', 'one of them'],
  ['REGSHIFT_WARM', 'docker-99', '"docker-99"'],
])('a part of %s, %s, is quoted as %s', (variable, part, shown) => {
  expect(redactedPart(variable, part)).toBe(shown);
});

test('a response to anyone names no host, neither as the value nor in the sentence', () => {
  const { variable, value, message } = forEveryone({
    variable: 'REGSHIFT_UPSTREAM_ALIASES',
    value: '"registry.internal:5000"',
    message: 'must be addresses; "registry.internal:5000" is none',
  });
  expect({ variable, value, message }).toEqual({
    variable: 'REGSHIFT_UPSTREAM_ALIASES',
    value: '(not shown)',
    message: 'must be addresses; one of them is none',
  });
});

const login = 'sesame';
test.each([`https://me:${login}@registry.example/`, `s3://me:${login}@layers/prefix`])(
  'no message about a wrong setting has the login of %s',
  (value) => {
    const problems = variables.flatMap((variable) => {
      const read = readSettings({ [variable]: value });
      return 'problems' in read ? read.problems : [];
    });
    expect(problems.length).toBeGreaterThan(40);
    expect(problems.filter((problem) => JSON.stringify(problem).includes(login))).toEqual([]);
  },
);
