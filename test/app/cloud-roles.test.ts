import { describe, expect, it } from 'vitest';
import type { MachineIdentity } from '../../src/auth/clouds/machine-identity.ts';
import { machineRoles } from '../../src/auth/clouds/machine-roles.ts';
import { RegistryError } from '../../src/errors.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { amazon, awsKey } from '../support/clouds/amazon.ts';
import { google } from '../support/clouds/google.ts';
import { type Host, network } from '../support/network.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/team/app/manifests/latest';
const session = 'hidden-session';

/** A program with the identity of its machine, and without keys of its own. */
function onMachine(
  cloud: ReturnType<typeof amazon>,
  variables: MachineIdentity['variables'],
  hosts: Readonly<Record<string, Host>>,
  files: Readonly<Record<string, string>> = {},
): TestApp & { readonly local: ReturnType<typeof network> } {
  const {
    AWS_ACCESS_KEY_ID: _,
    AWS_SECRET_ACCESS_KEY: __,
    REGSHIFT_GOOGLE_KEY: ___,
    ...settings
  } = cloud.settings;
  const { AWS_SESSION_TOKEN: ____, ...own } = settings;
  const local = network(hosts);
  const machine: MachineIdentity = {
    variables,
    readFile: async (variable, path) => {
      const text = files[path];
      if (text === undefined) throw new RegistryError('MISCONFIGURED', `${variable} (ENOENT)`);
      return text;
    },
    fetch: local.fetch,
  };
  return {
    ...testApp({ ...own, REGSHIFT_CLIENT_AUTH: 'none', REGSHIFT_TAG_TTL: '0' }, cloud.network.fetch, {
      machine: machineRoles(machine),
    }),
    local,
  };
}

const keys = { AccessKeyId: awsKey.id, SecretAccessKey: awsKey.secret, Token: session };

describe('the role of a task of ECS or a pod of EKS', () => {
  const granting =
    (authorization: string | null): Host =>
    (request) =>
      request.headers.get('authorization') === authorization
        ? Response.json({ ...keys, Expiration: '2026-01-01T06:00:00Z' })
        : Response.json({ code: 'AccessDenied', message: 'hidden' }, { status: 401 });

  it.each([
    ['ECS', 'http://169.254.170.2', { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/x' }, null],
    [
      'EKS Pod Identity',
      'http://169.254.170.23',
      {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials',
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/token',
      },
      'hidden-pod',
    ],
    [
      'a token in a variable',
      'https://credentials.test',
      {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: 'https://credentials.test/x',
        AWS_CONTAINER_AUTHORIZATION_TOKEN: 'hidden-task',
      },
      'hidden-task',
    ],
  ])('gives the credentials: %s', async (_, origin, variables, token) => {
    const cloud = amazon(undefined, session);
    const app = onMachine(cloud, variables, { [origin]: granting(token) }, { '/token': 'hidden-pod\n' });
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(app.local.asked).toHaveLength(1);
  });

  it('sends its token by plain HTTP to no other machine', async () => {
    const cloud = amazon(undefined, session);
    const variables = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://credentials.test/x',
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'hidden-task',
    };
    const app = onMachine(cloud, variables, { 'http://credentials.test': granting('hidden-task') });
    const response = await app.get(latest, docker19);
    expect(response.error().message).toContain(
      'AWS_CONTAINER_CREDENTIALS_FULL_URI must be a URL with https://',
    );
    expect(app.local.asked).toEqual([]);
  });

  it('that is refused is reported without secrets', async () => {
    const cloud = amazon(undefined, session);
    const variables = {
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/x',
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'hidden',
    };
    const app = onMachine(cloud, variables, { 'http://169.254.170.2': granting('other') });
    const response = await app.get(latest, docker19);
    expect(response.error().message).toContain('169.254.170.2 answered 401 AccessDenied. Check the role');
    expect(JSON.stringify(app.logged) + response.text()).not.toContain('hidden');
  });
});

describe('a role by web identity (EKS with IAM roles for service accounts)', () => {
  const role = 'arn:aws:iam::123456789012:role/pull';
  const variables = { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/token' };
  const files = { '/var/run/token': 'hidden.jwt.token\n' };
  const sts: Host = async (request) => {
    const form = new URLSearchParams(await request.text());
    const right =
      form.get('Action') === 'AssumeRoleWithWebIdentity' &&
      form.get('Version') === '2011-06-15' &&
      form.get('RoleArn') === role &&
      form.get('RoleSessionName') === 'regshift' &&
      form.get('WebIdentityToken') === 'hidden.jwt.token';
    // As in AWS STS API Reference, "AssumeRoleWithWebIdentity", "Example".
    const text = right
      ? `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
  <Credentials><SessionToken>${session}</SessionToken><SecretAccessKey>${awsKey.secret}</SecretAccessKey>
  <Expiration>2026-01-01T01:00:00Z</Expiration><AccessKeyId>${awsKey.id}</AccessKeyId></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`
      : '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>hidden</Message></Error></ErrorResponse>';
    return new Response(text, { status: right ? 200 : 403, headers: { 'content-type': 'text/xml' } });
  };

  it('gives the credentials', async () => {
    const cloud = amazon(undefined, session);
    cloud.network.set('https://sts.eu-west-1.amazonaws.com', sts);
    const app = onMachine(cloud, variables, {}, files);
    expect((await app.get(latest, docker19)).status).toBe(200);
  });

  it('reads the token of the cluster again for each login', async () => {
    const cloud = amazon(undefined, session);
    const renewed: Record<string, string> = { '/var/run/token': 'hidden.old.token' };
    cloud.network.set('https://sts.test', sts);
    const app = onMachine(cloud, { ...variables, AWS_ENDPOINT_URL_STS: 'https://sts.test' }, {}, renewed);
    const response = await app.get(latest, docker19);
    expect(response.error().message).toContain('AccessDenied. Check AWS_ROLE_ARN');
    expect(JSON.stringify(app.logged) + response.text()).not.toContain('hidden');
    Object.assign(renewed, files);
    app.advance(6);
    cloud.advance(6);
    expect((await app.get(latest, docker19)).status).toBe(200);
  });

  it.each(['sts.test', 'http://sts.test'])('goes to no wrong address: %s', async (address) => {
    const cloud = amazon(undefined, session);
    cloud.network.set('http://sts.test', sts);
    const app = onMachine(cloud, { ...variables, AWS_ENDPOINT_URL_STS: address }, {}, files);
    const response = await app.get(latest, docker19);
    expect(response.error().message).toContain(
      'AWS_ENDPOINT_URL_STS must be a URL with https://, or of this machine. Correct it, or leave it out.',
    );
    expect(cloud.network.at('http://sts.test')).toEqual([]);
  });

  it('without its file says which variable names it', async () => {
    const app = onMachine(amazon(undefined, session), variables, {});
    expect((await app.get(latest, docker19)).error().message).toContain('AWS_WEB_IDENTITY_TOKEN_FILE');
  });
});

it('no key and no role is an error that names both', async () => {
  const app = onMachine(amazon(), {}, {});
  expect((await app.get(latest, docker19)).error().message).toContain(
    'there are no AWS credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this program a role',
  );
});

describe('the service account of a machine of Google', () => {
  const metadata: Host = (request, url) =>
    request.headers.get('metadata-flavor') === 'Google' &&
    url.pathname === '/computeMetadata/v1/instance/service-accounts/default/token'
      ? Response.json({ access_token: 'ya29.hidden-1', expires_in: 3599, token_type: 'Bearer' })
      : new Response('hidden', { status: 403 });

  it.each([
    ['metadata.google.internal', {}],
    ['127.0.0.1:8090', { GCE_METADATA_HOST: '127.0.0.1:8090' }],
  ])('gives the login: %s', async (host, variables) => {
    const cloud = google();
    const app = onMachine(cloud, variables, { [`http://${host}`]: metadata });
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(cloud.network.at(cloud.loginServer)).toEqual([]);
  });

  it('elsewhere is an error that names the key', async () => {
    const app = onMachine(google(), {}, {});
    expect((await app.get(latest, docker19)).error().message).toContain(
      'REGSHIFT_GOOGLE_KEY is not set, and there is no metadata server at metadata.google.internal. Set the key',
    );
  });

  it('that has none is reported', async () => {
    const app = onMachine(
      google(),
      {},
      { 'http://metadata.google.internal': () => new Response('', { status: 404 }) },
    );
    expect((await app.get(latest, docker19)).error().message).toContain(
      'answered 404. Give a service account',
    );
  });
});
