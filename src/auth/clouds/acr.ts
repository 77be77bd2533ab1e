import { decodeJwt } from 'jose';
import type { ObtainedLogin } from '../renewed-login.ts';
import { authorityOf } from './acr-registry.ts';
import { type CloudParts, lifeUntil, noLogin, refusedLogin, requestLogin, secretOf } from './login-server.ts';

/** An application of Microsoft Entra ID with a secret (a service principal). */
export interface ServicePrincipal {
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface AcrOptions extends CloudParts {
  readonly registry: URL;
  readonly principal: ServicePrincipal;
  /** `AZURE_AUTHORITY_HOST`: replaces the authority of the registry's cloud. */
  readonly authority: URL | undefined;
}

/** The audience of azure-sdk-for-go (sdk/containers/azcontainerregistry/cloud_config.go). */
const scope = 'https://containerregistry.azure.net/.default';

/**
 * Gets a login of Azure Container Registry: an identity token, which the token server of the registry takes. Two
 * requests lead to it (Azure Container Registry, "Authentication", docs/AAD-OAuth.md): an access token by the client
 * credentials (RFC 6749, section 4.4), and its exchange at the registry.
 * @throws RegistryError MISCONFIGURED if Azure refuses; UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT.
 */
export async function obtainAcrLogin(options: AcrOptions): Promise<ObtainedLogin> {
  const { registry, principal, wallClock } = options;
  const accessToken = await requestAccessToken(options);
  const url = new URL('/oauth2/exchange', registry);
  const form = { grant_type: 'access_token', service: registry.host, tenant: principal.tenant };
  const response = await post(options, url, { ...form, access_token: accessToken });
  if (response.status !== 200) {
    const advice =
      'Give the role AcrPull on this registry to the service principal, and check AZURE_TENANT_ID';
    throw refusedLogin(url, response, firstCode(response.fields.errors), advice);
  }
  const token = secretOf(response.fields.refresh_token);
  if (token === undefined) throw noLogin(`${url.host} answered without a refresh_token`, 'Try again');
  return {
    login: { kind: 'identity', token, origin: registry.origin },
    lifeMs: lifeUntil(endOf(token), response, wallClock),
  };
}

async function requestAccessToken(options: AcrOptions): Promise<string> {
  const { registry, principal, authority = authorityOf(registry) } = options;
  const { tenant, clientId, clientSecret } = principal;
  const url = new URL(`/${encodeURIComponent(tenant)}/oauth2/v2.0/token`, authority);
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  const response = await post(options, url, { ...form, scope });
  const token = secretOf(response.fields.access_token);
  if (response.status === 200 && token !== undefined) return token;
  const { error } = response.fields;
  throw refusedLogin(
    url,
    response,
    error,
    advice.get(String(error)) ?? 'Check AZURE_TENANT_ID and AZURE_CLIENT_ID',
  );
}

/** Microsoft identity platform, "Microsoft Entra authentication and authorization error codes". */
const advice: ReadonlyMap<string, string> = new Map(
  Object.entries({
    invalid_client: 'Check AZURE_CLIENT_SECRET: it is wrong or has expired',
    unauthorized_client: 'Check AZURE_CLIENT_ID: the tenant does not know this application',
    invalid_request: 'Check AZURE_TENANT_ID: there is no such tenant',
  }),
);

function post(options: AcrOptions, url: URL, form: Readonly<Record<string, string>>) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return requestLogin(options, { url, method: 'POST', headers, body: new URLSearchParams(form).toString() });
}

function firstCode(errors: unknown): unknown {
  return Array.isArray(errors) ? (errors[0] as { code?: unknown } | undefined)?.code : undefined;
}

/** The end of an identity token, in milliseconds since the epoch; NaN if it states none. */
function endOf(token: string): number {
  try {
    return (decodeJwt(token).exp ?? Number.NaN) * 1000;
  } catch {
    return Number.NaN;
  }
}
