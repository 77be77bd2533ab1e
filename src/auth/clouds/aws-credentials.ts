import type { Obtained } from '../renewed.ts';
import {
  type CloudParts,
  type CloudResponse,
  lifeUntil,
  noLogin,
  refusedLogin,
  requestLogin,
  secretOf,
} from './login-server.ts';
import type { MachineIdentity } from './machine-identity.ts';

/** Credentials of an AWS account. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Belongs to temporary credentials. */
  readonly sessionToken?: string;
}

export interface AwsRoleOptions extends CloudParts {
  readonly machine: MachineIdentity;
  /** The endpoint of AWS STS in the region of the registry. */
  readonly sts: URL;
}

/**
 * Gets temporary credentials of the role that AWS gives to this program, in the order of AWS SDKs and Tools Reference
 * Guide, "Standardized credential providers": web identity (EKS with IAM roles for service accounts), then the
 * container's (ECS, EKS Pod Identity).
 * @throws RegistryError MISCONFIGURED if there is no role, or AWS refuses it.
 */
export async function roleCredentials(options: AwsRoleOptions): Promise<Obtained<AwsCredentials>> {
  const { machine } = options;
  const { AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile, AWS_ROLE_ARN: role } = machine.variables;
  if (tokenFile && role) return assumeRole(options, { tokenFile, role });
  const address = containerAddress(machine);
  if (address) return containerCredentials(options, address);
  throw noLogin(
    'there are no AWS credentials',
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this program a role (docs/networks.md)',
  );
}

/**
 * The request is not signed: the token of the cluster proves who asks (AWS STS API Reference,
 * "AssumeRoleWithWebIdentity").
 */
async function assumeRole(
  options: AwsRoleOptions,
  { tokenFile, role }: { readonly tokenFile: string; readonly role: string },
): Promise<Obtained<AwsCredentials>> {
  const { machine } = options;
  const token = await machine.readFile('AWS_WEB_IDENTITY_TOKEN_FILE', tokenFile);
  const url = new URL('/', stsAddress(machine) ?? options.sts);
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: machine.variables.AWS_ROLE_SESSION_NAME || 'regshift',
    WebIdentityToken: token.trim(),
  });
  const headers = { accept: 'text/xml', 'content-type': 'application/x-www-form-urlencoded' };
  const response = await requestLogin(options, { url, method: 'POST', headers, body: form.toString() });
  const member = (name: string) => new RegExp(`<${name}>\\s*([^<]+?)\\s*</${name}>`).exec(response.text)?.[1];
  if (response.status !== 200) {
    const advice = 'Check AWS_ROLE_ARN, and that the trust policy of the role names this service account';
    throw refusedLogin(url, response, member('Code'), advice);
  }
  const fields = {
    AccessKeyId: member('AccessKeyId'),
    SecretAccessKey: member('SecretAccessKey'),
    Token: member('SessionToken'),
    Expiration: member('Expiration'),
  };
  return readCredentials(url, { ...response, fields }, options);
}

/** @throws RegistryError MISCONFIGURED for an address that must not get the token of the cluster. */
function stsAddress({ variables: { AWS_ENDPOINT_URL_STS: text } }: MachineIdentity): URL | undefined {
  return text ? tokenServer(text, 'AWS_ENDPOINT_URL_STS', 'Correct it, or leave it out') : undefined;
}

/** @throws RegistryError MISCONFIGURED for an address that must not get the token of the container. */
function containerAddress({ variables }: MachineIdentity): URL | undefined {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: path, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } =
    variables;
  const text = path ? `http://169.254.170.2${path}` : full;
  const variable = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';
  return text ? tokenServer(text, variable, 'Leave it as ECS or EKS sets it') : undefined;
}

/** The hosts that may get a token by plain HTTP, besides loopback: those of ECS and of EKS Pod Identity. */
const plainHosts = ['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]', 'localhost', '127.0.0.1', '[::1]'];

/**
 * Reads the address of a server that gets a token (AWS SDKs and Tools Reference Guide, "Container credential provider").
 * @throws RegistryError MISCONFIGURED.
 */
function tokenServer(text: string, variable: string, advice: string): URL {
  const url = URL.parse(text) ?? undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && plainHosts.includes(url.hostname)))
    return url;
  throw noLogin(`${variable} must be a URL with https://, or of this machine`, advice);
}

async function containerCredentials(options: AwsRoleOptions, url: URL): Promise<Obtained<AwsCredentials>> {
  const { machine } = options;
  const { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file, AWS_CONTAINER_AUTHORIZATION_TOKEN: text } =
    machine.variables;
  const token = file ? await machine.readFile('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', file) : text;
  const authorization = secretOf(token?.trim());
  const headers = authorization === undefined ? {} : { authorization };
  const response = await requestLogin({ ...options, fetch: machine.fetch }, { url, method: 'GET', headers });
  if (response.status === 200) return readCredentials(url, response, options);
  throw refusedLogin(url, response, response.fields.code, 'Check the role of this task or pod');
}

function readCredentials(
  url: URL,
  response: CloudResponse,
  { wallClock }: Pick<CloudParts, 'wallClock'>,
): Obtained<AwsCredentials> {
  const { fields } = response;
  const [accessKeyId, secretAccessKey, sessionToken] = [
    fields.AccessKeyId,
    fields.SecretAccessKey,
    fields.Token,
  ].map(secretOf);
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw noLogin(`${url.host} answered without credentials`, 'Check the role of this task or pod');
  }
  const end = typeof fields.Expiration === 'string' ? Date.parse(fields.Expiration) : Number.NaN;
  const lifeMs = lifeUntil(end, response, wallClock);
  const login = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  return { login, lifeMs };
}
