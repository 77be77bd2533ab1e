import { authorityOf } from '../auth/clouds/acr-registry.ts';
import { ecrRegistryOf } from '../auth/clouds/ecr-registry.ts';
import { isGoogleRegistry } from '../auth/clouds/google-key.ts';
import { isLoginServer } from './auth-fields.ts';
import { notSet, type RawSettings, type SettingProblem } from './problem.ts';
import { redacted } from './redacted.ts';

/** One kind of login at a cloud. Its variables with the cloud's own names may be set for other programs too. */
interface CloudRules {
  readonly isRegistry: (url: URL) => boolean;
  /** The host that `REGSHIFT_UPSTREAM` must have, in words. */
  readonly registry: string;
  /** The variables that are needed, each with its meaning. `together`: one of them needs the other. */
  readonly needed: Readonly<Record<string, string>>;
  readonly together?: true;
  /** A variable that replaces the address of the cloud. */
  readonly address?: string;
}

const clouds: Readonly<Record<string, CloudRules>> = {
  ecr: {
    isRegistry: (url) => ecrRegistryOf(url) !== undefined,
    registry: 'https://<account>.dkr.ecr.<region>.amazonaws.com',
    needed: {
      AWS_ACCESS_KEY_ID: 'the id of the access key',
      AWS_SECRET_ACCESS_KEY: 'the secret of the access key',
    },
    together: true,
    address: 'AWS_ENDPOINT_URL_ECR',
  },
  gcp: {
    isRegistry: isGoogleRegistry,
    registry: 'https://<location>-docker.pkg.dev or https://gcr.io',
    needed: {},
  },
  acr: {
    isRegistry: (url) => authorityOf(url) !== undefined,
    registry: 'https://<name>.azurecr.io',
    needed: {
      AZURE_TENANT_ID: 'the id of the directory',
      AZURE_CLIENT_ID: 'the id of the service principal',
      AZURE_CLIENT_SECRET: 'a secret of the service principal',
    },
    address: 'AZURE_AUTHORITY_HOST',
  },
};

/** Checks the settings of a login at a cloud. The host decides which cloud gets the login, so it must be the cloud's. */
export function cloudProblems(raw: RawSettings): SettingProblem[] {
  const mode = raw.REGSHIFT_UPSTREAM_AUTH ?? '';
  const rules = Object.hasOwn(clouds, mode) ? clouds[mode] : undefined;
  if (rules === undefined) return [];
  return [
    ...registryProblems(raw, mode, rules),
    ...neededProblems(raw, mode, rules),
    ...addressProblems(raw, rules),
  ];
}

function registryProblems({ REGSHIFT_UPSTREAM: text }: RawSettings, mode: string, rules: CloudRules) {
  if (text === undefined || !URL.canParse(text.trim()) || rules.isRegistry(new URL(text.trim()))) return [];
  const message = `must be ${rules.registry}, because REGSHIFT_UPSTREAM_AUTH is ${mode}: its login is for that cloud alone`;
  return [{ variable: 'REGSHIFT_UPSTREAM', value: '', message }];
}

function neededProblems(raw: RawSettings, mode: string, { needed, together }: CloudRules): SettingProblem[] {
  const missing = Object.entries(needed).filter(([variable]) => raw[variable] === undefined);
  if (together && missing.length === Object.keys(needed).length) return [];
  return missing.map(([variable, meaning]) => ({
    variable,
    value: notSet,
    message: `must be set, because REGSHIFT_UPSTREAM_AUTH is ${mode}: ${meaning}`,
  }));
}

function addressProblems(raw: RawSettings, { address = '' }: CloudRules): SettingProblem[] {
  const text = raw[address];
  if (text === undefined || isLoginServer(text)) return [];
  return [
    {
      variable: address,
      value: redacted(address, text),
      message: 'must be a URL that begins with https:// (http:// is for this machine itself)',
    },
  ];
}
