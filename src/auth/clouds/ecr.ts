import { AwsV4Signer } from 'aws4fetch';
import { decodeLogin } from '../../upstream/auth/basic.ts';
import type { ObtainedLogin } from '../renewed-login.ts';
import type { AwsCredentials } from './aws-credentials.ts';
import type { EcrRegistry } from './ecr-registry.ts';
import {
  type CloudParts,
  type CloudResponse,
  lifeUntil,
  noLogin,
  refusedLogin,
  requestLogin,
} from './login-server.ts';

export interface EcrOptions extends CloudParts {
  readonly registry: EcrRegistry;
  /** The origin of the registry, the only one that gets the login. */
  readonly origin: string;
  /** `AWS_ENDPOINT_URL_ECR`: replaces the endpoint of the region. */
  readonly endpoint: URL | undefined;
  readonly credentials: () => Promise<AwsCredentials>;
}

const target = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken';

/**
 * Gets a login of Amazon ECR: user name `AWS` and a password for twelve hours (Amazon ECR API Reference,
 * "GetAuthorizationToken"; request and response as in AWS SDK for Go v2, service/ecr). The request is signed with AWS
 * Signature Version 4.
 * @throws RegistryError MISCONFIGURED if AWS refuses; UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT.
 */
export async function obtainEcrLogin(options: EcrOptions): Promise<ObtainedLogin> {
  const { registry, origin, wallClock } = options;
  const url = new URL('/', options.endpoint ?? registry.endpoint);
  const credentials = await options.credentials();
  const body = JSON.stringify({ registryIds: [registry.account] });
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  const datetime = wallClock()
    .toISOString()
    .replace(/[:-]|\.\d{3}/g, '');
  const { region } = registry;
  const signer = new AwsV4Signer({
    method: 'POST',
    url: url.href,
    headers,
    body,
    ...credentials,
    service: 'ecr',
    region,
    datetime,
  });
  const signed = await signer.sign();
  const response = await requestLogin(options, {
    url,
    method: 'POST',
    headers: Object.fromEntries(signed.headers),
    body,
  });
  if (response.status !== 200) throw refusal(url, response, registry);
  return readLogin(url, response, { origin, wallClock });
}

function readLogin(
  url: URL,
  response: CloudResponse,
  { origin, wallClock }: Pick<EcrOptions, 'origin' | 'wallClock'>,
): ObtainedLogin {
  const { authorizationData: list } = response.fields;
  const [data] = Array.isArray(list) ? list : [];
  const { authorizationToken: token, expiresAt } = (data ?? {}) as Record<string, unknown>;
  const login = typeof token === 'string' ? decodeLogin(token) : undefined;
  if (login === undefined || login.username === '' || login.password === '') {
    throw noLogin(`${url.host} answered without an authorizationToken`, 'Check AWS_ENDPOINT_URL_ECR');
  }
  return {
    login: { kind: 'service', ...login, origin },
    lifeMs: typeof expiresAt === 'number' ? lifeUntil(expiresAt * 1000, response, wallClock) : undefined,
  };
}

/** Errors of AWS with what to do about each (AWS Signature Version 4, "Troubleshooting"; ECR, "Common errors"). */
const advice: ReadonlyMap<string, string> = new Map(
  Object.entries({
    UnrecognizedClientException:
      'Check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN: AWS does not know this key in this region',
    InvalidClientTokenId: 'Check AWS_ACCESS_KEY_ID: AWS does not know this key',
    InvalidSignatureException: 'Check AWS_SECRET_ACCESS_KEY, and the clock of this machine',
    ExpiredTokenException: 'The AWS credentials have expired: give new ones, with their AWS_SESSION_TOKEN',
    AccessDeniedException: 'Allow ecr:GetAuthorizationToken and the pull actions to this key (IAM)',
  }),
);

function refusal(url: URL, response: CloudResponse, { region }: EcrRegistry): Error {
  // AWS JSON 1.1 names the error like `com.amazonaws.ecr#InvalidParameterException`, or without the part before `#`.
  const type = String(response.fields.__type ?? '').replace(/^.*#/, '');
  return refusedLogin(
    url,
    response,
    type,
    advice.get(type) ?? `Check the AWS credentials, and that ${region} is the region of the registry`,
  );
}
