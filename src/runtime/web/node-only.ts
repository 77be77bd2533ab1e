import { looksLikeSigningKey, unreadableSigningKey } from '../../../converters/crypto/signing-key.ts';
import { loginsFor } from '../../auth/docker-config.ts';
import { notSet, notShown, type SettingProblem } from '../../config/problem.ts';
import type { RouteSettings } from '../../config/route-settings.ts';
import { type ReadSettings, type RuntimeRules, readSettings, type Settings } from '../../config/settings.ts';
import { allProblems } from './variables.ts';

/** A runtime without files, programs and servers of its own, in the words of messages. */
export interface LimitedRuntime {
  /** Like `on Workers`. */
  readonly where: string;
  /** The reason against the settings of a server: the end of `must be left out on Workers, where …`. */
  readonly listener: string;
  /** The whole messages for REGSHIFT_REDIS_URL, and for a folder in REGSHIFT_STORE. */
  readonly redis: string;
  readonly folder: string;
}

/**
 * The rules of such a runtime for `readSettings`: an error is better than a setting without effect, and than the sample
 * registry in place of one that was forgotten. A signing key is looked at, because no start will read it.
 */
function limitedRules(runtime: LimitedRuntime): Required<RuntimeRules> {
  return {
    needsRegistry: runtime.where,
    refused: (set, { REGSHIFT_SIGNING_KEY: key }) => [
      ...(set.REGSHIFT_REDIS_URL === undefined ? [] : [hidden('REGSHIFT_REDIS_URL', runtime.redis)]),
      ...ofServers
        .filter((variable) => set[variable] !== undefined)
        .map((variable) => leaveOut(variable, runtime, runtime.listener)),
      ...ofConnections
        .filter((variable) => set[variable] !== undefined && set[variable] !== 'false')
        .map((variable) => leaveOut(variable, runtime, directly)),
      ...(key === undefined || looksLikeSigningKey(key)
        ? []
        : [hidden('REGSHIFT_SIGNING_KEY', `cannot be used: ${unreadableSigningKey().message}`)]),
    ],
  };
}

/**
 * Reads the settings of such a runtime.
 * @param kinds the problems of values that are no text (`asVariables`).
 */
export function readLimitedSettings(
  variables: Readonly<Record<string, unknown>>,
  kinds: readonly SettingProblem[],
  runtime: LimitedRuntime,
): Extract<ReadSettings, { settings: Settings }> | { readonly problems: readonly SettingProblem[] } {
  const read = readSettings(variables, undefined, undefined, limitedRules(runtime));
  const others = 'problems' in read ? read.problems : nodeOnlyProblems(read.settings, runtime);
  const problems = allProblems(kinds, others);
  return 'problems' in read || problems.length > 0 ? { problems } : read;
}

const directly = 'where the runtime connects to registries directly and verifies them itself';

function leaveOut(variable: string, { where }: LimitedRuntime, reason: string): SettingProblem {
  return hidden(variable, `must be left out ${where}, ${reason}`);
}

/** Settings that have no meaning on such a runtime, and that only parsed settings tell. */
function nodeOnlyProblems(settings: Settings, runtime: LimitedRuntime): SettingProblem[] {
  const { where } = runtime;
  const { REGSHIFT_STORE: store } = settings;
  return [
    ...settings.routes.flatMap((route) => identityOf(route, where)),
    ...(store?.kind === 'file' ? [hidden('REGSHIFT_STORE', runtime.folder)] : []),
    ...storeKeyOf(settings, where),
    ...ofConnections
      .filter((variable) => isSetInRoute(settings, variable))
      .map((variable) => leaveOut(variable, runtime, directly)),
    ...settings.routes
      .flatMap(helperOf)
      .map((program) =>
        hidden(
          'REGSHIFT_DOCKER_CONFIG',
          `must hold the login itself ${where}: ${program} keeps it, and there are no programs to run. Give a ` +
            'configuration with "auth" in it, or REGSHIFT_UPSTREAM_AUTH=basic',
        ),
      ),
  ];
}

/** Settings of servers that a program starts on Node. */
export const ofServers = ['REGSHIFT_TLS_CERT', 'REGSHIFT_TLS_KEY', 'REGSHIFT_METRICS_PORT'] as const;

/** Settings of connections that the runtime makes itself elsewhere than on Node. */
export const ofConnections = [
  'REGSHIFT_UPSTREAM_PROXY',
  'REGSHIFT_UPSTREAM_CA',
  'REGSHIFT_UPSTREAM_CERT',
  'REGSHIFT_UPSTREAM_KEY',
  'REGSHIFT_UPSTREAM_INSECURE',
] as const;

const hidden = (variable: string, message: string): SettingProblem => ({
  variable,
  value: notShown,
  message,
});

/** The key that takes the place of the role that a cloud gives to a machine. */
const identities = [
  ['ecr', 'AWS_ACCESS_KEY_ID'],
  ['gcp', 'REGSHIFT_GOOGLE_KEY'],
] as const;

function identityOf({ settings }: RouteSettings, where: string): SettingProblem[] {
  return identities.flatMap(([mode, variable]) => {
    if (settings.REGSHIFT_UPSTREAM_AUTH !== mode || settings[variable] !== undefined) return [];
    return [withoutRole(variable, where, `REGSHIFT_UPSTREAM_AUTH is ${mode}`)];
  });
}

function storeKeyOf(settings: Settings, where: string): SettingProblem[] {
  if (settings.REGSHIFT_STORE?.kind !== 's3' || settings.AWS_ACCESS_KEY_ID !== undefined) return [];
  return [withoutRole('AWS_ACCESS_KEY_ID', where, 'REGSHIFT_STORE is a bucket of S3')];
}

function withoutRole(variable: string, where: string, because: string): SettingProblem {
  const message = `must be set ${where}, where no machine has a role, because ${because}`;
  return { variable, value: notSet, message };
}

function isSetInRoute({ routes }: Settings, variable: (typeof ofConnections)[number]): boolean {
  return routes.some(({ settings: own }) => own[variable] !== undefined && own[variable] !== 'false');
}

function helperOf({ settings }: RouteSettings): string[] {
  const { REGSHIFT_UPSTREAM: upstreams, REGSHIFT_DOCKER_CONFIG: config } = settings;
  if (settings.REGSHIFT_UPSTREAM_AUTH !== 'docker-config' || !upstreams || !config) return [];
  return loginsFor(config, upstreams).flatMap((found) => ('helper' in found ? [found.helper.program] : []));
}
