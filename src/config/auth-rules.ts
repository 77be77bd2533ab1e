import { type DockerConfig, loginsFor, parseDockerConfig } from '../auth/docker-config.ts';
import { listedParts } from '../listed-parts.ts';
import { clientModes, ownAccountModes, upstreamModes } from './auth-fields.ts';
import { cloudProblems } from './cloud-rules.ts';
import { notSet, notShown, type RawSettings, type SettingProblem } from './problem.ts';

/** A setting that has an effect only with one value of another setting. */
interface Companion {
  readonly variable: string;
  readonly of: 'REGSHIFT_UPSTREAM_AUTH' | 'REGSHIFT_CLIENT_AUTH';
  readonly is: string;
  /** The required value, in words; undefined if another setting can replace this one. */
  readonly needed?: string;
}

/** The settings that each kind of login needs, and that have no effect with any other kind. */
const companions: readonly Companion[] = [
  {
    variable: 'REGSHIFT_UPSTREAM_USERNAME',
    of: 'REGSHIFT_UPSTREAM_AUTH',
    is: 'basic',
    needed: "the user name of the proxy's own account at the upstream registry",
  },
  {
    variable: 'REGSHIFT_UPSTREAM_PASSWORD',
    of: 'REGSHIFT_UPSTREAM_AUTH',
    is: 'basic',
    needed: "the password of the proxy's own account at the upstream registry",
  },
  {
    variable: 'REGSHIFT_DOCKER_CONFIG',
    of: 'REGSHIFT_UPSTREAM_AUTH',
    is: 'docker-config',
    needed: 'JSON like ~/.docker/config.json, or a path to it',
  },
  { variable: 'REGSHIFT_GOOGLE_KEY', of: 'REGSHIFT_UPSTREAM_AUTH', is: 'gcp' },
  {
    variable: 'REGSHIFT_HTPASSWD',
    of: 'REGSHIFT_CLIENT_AUTH',
    is: 'basic',
    needed: 'lines of user:hash as htpasswd -B writes them, or a path to a file of them',
  },
  { variable: 'REGSHIFT_JWKS_URL', of: 'REGSHIFT_CLIENT_AUTH', is: 'jwt' },
  { variable: 'REGSHIFT_JWKS', of: 'REGSHIFT_CLIENT_AUTH', is: 'jwt' },
  {
    variable: 'REGSHIFT_JWT_ISSUER',
    of: 'REGSHIFT_CLIENT_AUTH',
    is: 'jwt',
    needed:
      'the "iss" of the tokens, or a key that serves several issuers would open the door to all of them',
  },
  {
    variable: 'REGSHIFT_JWT_AUDIENCE',
    of: 'REGSHIFT_CLIENT_AUTH',
    is: 'jwt',
    needed: 'the "aud" of the tokens, or tokens that were made for another service would be good here',
  },
];

const known: Readonly<Record<Companion['of'], readonly (string | undefined)[]>> = {
  REGSHIFT_UPSTREAM_AUTH: upstreamModes,
  REGSHIFT_CLIENT_AUTH: [undefined, ...clientModes],
};

/**
 * Checks the authentication settings against each other; each of them may be valid by itself.
 * @param own the variables set in this place itself. A setting that a route inherits may have no effect on the route.
 */
export function authProblems(
  variables: RawSettings,
  own = new Set(Object.keys(variables)),
): SettingProblem[] {
  const raw = { ...variables, REGSHIFT_UPSTREAM_AUTH: variables.REGSHIFT_UPSTREAM_AUTH ?? 'passthrough' };
  const mirrors = mirrorProblems(raw, variables.REGSHIFT_UPSTREAM_AUTH === undefined);
  const isModeRefused = mirrors.some(({ variable }) => variable === 'REGSHIFT_UPSTREAM_AUTH');
  const clients = isModeRefused ? [] : clientAuthProblems(raw);
  const refused = [...mirrors, ...clients].filter(({ value }) => value !== notSet);
  // A kind of login that must change needs nothing: its needs would contradict the advice to change it.
  const isNeeded = ({ of }: Pick<Companion, 'of'>) => refused.every(({ variable }) => variable !== of);
  return [
    ...companions.flatMap((companion) =>
      companionProblem(raw, companion, own).filter(({ value }) => value !== notSet || isNeeded(companion)),
    ),
    ...(isNeeded({ of: 'REGSHIFT_CLIENT_AUTH' }) ? jwksProblems(raw) : []),
    ...clients,
    ...mirrors,
    ...(isModeRefused ? [] : [...upstreamProblems(raw), ...cloudProblems(raw)]),
  ];
}

function companionProblem(
  raw: RawSettings,
  { variable, of, is, needed }: Companion,
  own: ReadonlySet<string>,
): SettingProblem[] {
  // An unknown value is reported separately.
  if (!known[of].includes(raw[of])) return [];
  if (raw[of] === is) {
    return raw[variable] === undefined && needed !== undefined
      ? [unset(variable, `must be set, because ${of} is ${is}: ${needed}`)]
      : [];
  }
  return raw[variable] === undefined || !own.has(variable)
    ? []
    : [
        {
          variable,
          value: 'set',
          message: `has no effect unless ${of} is ${is}: set that, or leave this out`,
        },
      ];
}

function jwksProblems(raw: RawSettings): SettingProblem[] {
  const sources = ['REGSHIFT_JWKS_URL', 'REGSHIFT_JWKS'].filter((name) => raw[name] !== undefined);
  if (raw.REGSHIFT_CLIENT_AUTH !== 'jwt' || sources.length === 1) return [];
  return sources.length === 0
    ? [
        unset(
          'REGSHIFT_JWKS_URL',
          "must be set, because REGSHIFT_CLIENT_AUTH is jwt: the address of the issuer's keys (or REGSHIFT_JWKS: the keys)",
        ),
      ]
    : [
        {
          variable: 'REGSHIFT_JWKS',
          value: 'set',
          message: 'must not be set, because REGSHIFT_JWKS_URL is set: keep one',
        },
      ];
}

function clientAuthProblems(raw: RawSettings): SettingProblem[] {
  const { REGSHIFT_UPSTREAM_AUTH: mode = '', REGSHIFT_CLIENT_AUTH: clients } = raw;
  if (ownAccountModes.includes(mode) && clients === undefined) {
    const message =
      `must be basic or jwt, because with REGSHIFT_UPSTREAM_AUTH=${mode} clients read whatever the proxy's own ` +
      'account may read; set none to allow that to everyone who can reach the proxy';
    return [unset('REGSHIFT_CLIENT_AUTH', message)];
  }
  if (mode === 'passthrough' && (clients === 'basic' || clients === 'jwt')) {
    const message =
      "must be none with REGSHIFT_UPSTREAM_AUTH=passthrough, because each client's login is for upstream, which " +
      'checks it: leave this out, or set REGSHIFT_UPSTREAM_AUTH to anonymous or to an account of the proxy (basic, docker-config, ' +
      `ecr, gcp, acr) and ${clients === 'jwt' ? 'REGSHIFT_JWKS_URL' : 'REGSHIFT_HTPASSWD'} to let the proxy check its clients itself`;
    return [{ variable: 'REGSHIFT_CLIENT_AUTH', value: JSON.stringify(clients), message }];
  }
  return [];
}

function upstreamsOf({ REGSHIFT_UPSTREAM: text = '' }: RawSettings): string[] {
  return listedParts(text);
}

/** @param isDefault true if the operator did not set the kind of login. */
function mirrorProblems(raw: RawSettings, isDefault: boolean): SettingProblem[] {
  const { REGSHIFT_UPSTREAM_AUTH: mode = '' } = raw;
  if (upstreamsOf(raw).length < 2) return [];
  if (!['anonymous', 'docker-config'].includes(mode)) {
    const message =
      'must be anonymous, or docker-config with a login for each that wants one, because REGSHIFT_UPSTREAM names ' +
      'several registries: a login is for one';
    const value = isDefault ? `${notSet}, so it is ${JSON.stringify(mode)}` : JSON.stringify(mode);
    return [{ variable: 'REGSHIFT_UPSTREAM_AUTH', value, message }];
  }
  if (raw.REGSHIFT_PUSH === 'allow') {
    const message =
      'must be refuse, because REGSHIFT_UPSTREAM names several registries, and only one would get a push';
    return [{ variable: 'REGSHIFT_PUSH', value: '"allow"', message }];
  }
  return [];
}

function upstreamProblems(raw: RawSettings): SettingProblem[] {
  const { REGSHIFT_UPSTREAM_AUTH: mode = '' } = raw;
  if (!ownAccountModes.includes(mode)) return [];
  if (raw.REGSHIFT_UPSTREAM === undefined) {
    return [
      unset('REGSHIFT_UPSTREAM', `must be the registry that REGSHIFT_UPSTREAM_AUTH=${mode} logs in to`),
    ];
  }
  const config = mode === 'docker-config' ? parseDockerConfig(raw.REGSHIFT_DOCKER_CONFIG ?? '') : undefined;
  return config ? loginProblems(config, upstreamsOf(raw)) : [];
}

function loginProblems(config: DockerConfig, upstreams: readonly string[]): SettingProblem[] {
  const urls = upstreams.flatMap((each) => URL.parse(each) ?? []);
  return loginsFor(config, urls).flatMap((found) =>
    'problem' in found
      ? [{ variable: 'REGSHIFT_DOCKER_CONFIG', value: notShown, message: found.problem }]
      : [],
  );
}

function unset(variable: string, message: string): SettingProblem {
  return { variable, value: notSet, message };
}
