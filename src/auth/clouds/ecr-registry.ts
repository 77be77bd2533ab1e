/** A private registry of Amazon ECR, as its host name describes it. */
export interface EcrRegistry {
  readonly account: string;
  readonly region: string;
  /** The endpoint of the ECR API that gives logins for it. */
  readonly endpoint: URL;
  /** The domain of the services of its partition, like `amazonaws.com`. */
  readonly domain: string;
}

/**
 * The host names of private registries, after `ecrPattern` of amazon-ecr-credential-helper (ecr-login/api/client.go).
 * The isolated partitions are left out.
 */
const pattern =
  /^(\d{12})\.dkr[.-]ecr(-fips)?\.([a-z0-9][a-z0-9-]*)\.(amazonaws\.com(?:\.cn)?|amazonaws\.eu|on\.aws|on\.amazonwebservices\.com\.cn)$/;

/** The domains of dual-stack registries, each with the domains of its API and of other services. */
const dualStack: Readonly<Record<string, readonly [api: string, domain: string]>> = {
  'on.aws': ['api.aws', 'amazonaws.com'],
  'on.amazonwebservices.com.cn': ['api.amazonwebservices.com.cn', 'amazonaws.com.cn'],
};

/**
 * Reads the host name of a private registry. The endpoints are those of AWS SDK for Go v2 (service/ecr/endpoints.go,
 * internal/endpoints/endpoints.go): `api.ecr.<region>.<domain>`, `ecr-fips.<region>.<domain>` and, for a dual-stack
 * registry, `ecr.<region>.api.aws`.
 * @returns undefined for any other host.
 */
export function ecrRegistryOf({ protocol, hostname, port }: URL): EcrRegistry | undefined {
  const [, account, fips, region, domain] = pattern.exec(hostname) ?? [];
  if (account === undefined || region === undefined || domain === undefined) return undefined;
  if (protocol !== 'https:' || port !== '') return undefined;
  const dual = dualStack[domain];
  const plain = dual === undefined && fips === undefined ? 'api.ecr' : `ecr${fips ?? ''}`;
  const endpoint = new URL(`https://${plain}.${region}.${dual?.[0] ?? domain}`);
  return { account, region, endpoint, domain: dual?.[1] ?? domain };
}
