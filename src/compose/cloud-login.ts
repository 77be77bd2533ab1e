import { obtainAcrLogin } from '../auth/clouds/acr.ts';
import type { AwsCredentials } from '../auth/clouds/aws-credentials.ts';
import { obtainEcrLogin } from '../auth/clouds/ecr.ts';
import { ecrRegistryOf } from '../auth/clouds/ecr-registry.ts';
import { accountOfKey, obtainGcpLogin } from '../auth/clouds/gcp.ts';
import type { CloudParts } from '../auth/clouds/login-server.ts';
import type { MachineRoles } from '../auth/clouds/machine-roles.ts';
import { createRenewedLogin, type RenewedLoginOptions } from '../auth/renewed-login.ts';
import type { Values } from '../config/settings.ts';
import type { CredentialHelper } from '../upstream/auth/credential.ts';

export interface CloudLoginParts extends CloudParts, Pick<RenewedLoginOptions, 'log' | 'background'> {
  readonly machine: MachineRoles | undefined;
}

/** The parts of a login that differ between clouds. */
interface CloudLogin extends Pick<RenewedLoginOptions, 'source' | 'obtain'> {
  /** The account, without its secret. Two accounts at one registry are two logins. */
  readonly account: string;
}

/**
 * The login that a cloud gives for a registry, renewed before it ends.
 * @returns undefined for settings that name no cloud, or that cloud-rules.ts or node-only.ts should have refused.
 */
export function cloudLogin(
  settings: Values,
  upstream: URL,
  parts: CloudLoginParts,
): CredentialHelper | undefined {
  const { REGSHIFT_UPSTREAM_AUTH: mode } = settings;
  const made = makers[mode]?.(settings, upstream, parts);
  if (made === undefined) return undefined;
  const { source, account, obtain } = made;
  return createRenewedLogin({
    ...parts,
    source,
    obtain,
    id: JSON.stringify([mode, upstream.origin, account]),
    failure: {
      message: 'a cloud gave no new login: going on with the one that it gave before',
      facts: { cloud: source, upstream: upstream.host },
    },
  });
}

type MakeLogin = (settings: Values, upstream: URL, parts: CloudLoginParts) => CloudLogin | undefined;

const makers: Partial<Record<Values['REGSHIFT_UPSTREAM_AUTH'], MakeLogin>> = { ecr, gcp, acr };

function ecr(settings: Values, upstream: URL, parts: CloudLoginParts): CloudLogin | undefined {
  const registry = ecrRegistryOf(upstream);
  if (registry === undefined) return undefined;
  const { AWS_ENDPOINT_URL_ECR: endpoint } = settings;
  const { machine } = parts;
  const own = awsKeyOf(settings);
  const sts = new URL(`https://sts.${registry.region}.${registry.domain}`);
  const role = machine && (async () => (await machine.aws(parts, sts)).login);
  const credentials = own ? async () => own : role;
  if (credentials === undefined) return undefined;
  const options = { ...parts, registry, origin: upstream.origin, endpoint: urlOf(endpoint), credentials };
  return {
    source: 'Amazon ECR',
    account: own?.accessKeyId ?? 'role',
    obtain: () => obtainEcrLogin(options),
  };
}

/** The settings of an access key of AWS. */
export type AwsKeySettings = Pick<
  Values,
  'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN'
>;

/** The access key of the settings; undefined without one. */
export function awsKeyOf(settings: AwsKeySettings): AwsCredentials | undefined {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = settings;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

function gcp(
  { REGSHIFT_GOOGLE_KEY: key }: Values,
  { origin }: URL,
  parts: CloudLoginParts,
): CloudLogin | undefined {
  const account = key ? accountOfKey(key) : parts.machine?.google;
  if (account === undefined) return undefined;
  return {
    source: 'Google Cloud',
    account: key?.client_email ?? 'machine',
    obtain: () => obtainGcpLogin({ ...parts, origin, account }),
  };
}

function acr(settings: Values, registry: URL, parts: CloudLoginParts): CloudLogin | undefined {
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: clientSecret } = settings;
  if (!tenant || !clientId || !clientSecret) return undefined;
  const principal = { tenant, clientId, clientSecret };
  const authority = urlOf(settings.AZURE_AUTHORITY_HOST);
  return {
    source: 'Azure',
    account: `${tenant} ${clientId}`,
    obtain: () => obtainAcrLogin({ ...parts, registry, principal, authority }),
  };
}

function urlOf(text: string | undefined): URL | undefined {
  return text === undefined ? undefined : new URL(text);
}
