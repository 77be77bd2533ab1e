import { loginsFor } from '../../auth/docker-config.ts';
import type { SettingProblem } from '../../config/problem.ts';
import type { RouteSettings } from '../../config/route-settings.ts';
import type { Settings } from '../../config/settings.ts';

/** Settings that have no meaning on a Worker: an error is better than no effect. */
export function nodeOnlyProblems(settings: Settings): SettingProblem[] {
  const helpers = settings.routes.flatMap(helperOf);
  return [
    ...settings.routes.flatMap(identityOf),
    ...(settings.REGSHIFT_REDIS_URL === undefined ? [] : [noRedis]),
    ...(settings.REGSHIFT_STORE?.kind === 'file' ? [noFolder] : []),
    ...storeKeyOf(settings),
    ...notHere.flatMap((variable) => (settings[variable] === undefined ? [] : [leaveOut(variable)])),
    ...chosenByRuntime.filter((variable) => isSetAnywhere(settings, variable)).map(leaveToRuntime),
    ...helpers.map((program) => ({
      variable: 'REGSHIFT_DOCKER_CONFIG',
      value: '(not shown)',
      message:
        `must hold the login itself on Workers: ${program} keeps it, and there are no programs to run. Give a ` +
        'configuration with "auth" in it, or REGSHIFT_UPSTREAM_AUTH=basic',
    })),
  ];
}

/** A Worker has no machine whose role it could use. */
const identities = [
  ['ecr', 'AWS_ACCESS_KEY_ID'],
  ['gcp', 'REGSHIFT_GOOGLE_KEY'],
] as const;

function identityOf({ settings }: RouteSettings): SettingProblem[] {
  return identities.flatMap(([mode, variable]) => {
    if (settings.REGSHIFT_UPSTREAM_AUTH !== mode || settings[variable] !== undefined) return [];
    const message = `must be set on Workers, which have no role of a machine, because REGSHIFT_UPSTREAM_AUTH is ${mode}`;
    return [{ variable, value: 'not set', message }];
  });
}

/** Settings of connections, which the runtime of Workers makes itself. */
const chosenByRuntime = [
  'REGSHIFT_UPSTREAM_PROXY',
  'REGSHIFT_UPSTREAM_CA',
  'REGSHIFT_UPSTREAM_CERT',
  'REGSHIFT_UPSTREAM_KEY',
  'REGSHIFT_UPSTREAM_INSECURE',
] as const;

function isSetAnywhere(settings: Settings, variable: (typeof chosenByRuntime)[number]): boolean {
  return [settings, ...settings.routes.map((route) => route.settings)].some(
    (each) => each[variable] !== undefined && each[variable] !== 'false',
  );
}

function leaveToRuntime(variable: string): SettingProblem {
  return {
    variable,
    value: '(not shown)',
    message: 'must be left out on Workers, which connect to registries directly and verify them themselves',
  };
}

const notHere = ['REGSHIFT_TLS_CERT', 'REGSHIFT_TLS_KEY', 'REGSHIFT_METRICS_PORT'] as const;

function leaveOut(variable: string): SettingProblem {
  return {
    variable,
    value: '(not shown)',
    message: 'must be left out on Workers, where Cloudflare speaks TLS and counts (deploy/cloudflare.md)',
  };
}

const noRedis: SettingProblem = {
  variable: 'REGSHIFT_REDIS_URL',
  value: '(not shown)',
  message:
    'must be left out on Workers, which share what they know by Workers KV: bind a namespace as RECIPES ' +
    '(deploy/cloudflare.md)',
};

const noFolder: SettingProblem = {
  variable: 'REGSHIFT_STORE',
  value: '(not shown)',
  message:
    'must not be a folder on Workers, which have no disk: bind a bucket of R2 as LAYERS (deploy/cloudflare.md), or name ' +
    'one of S3 as s3://bucket/prefix?region=…',
};

function storeKeyOf(settings: Settings): SettingProblem[] {
  if (settings.REGSHIFT_STORE?.kind !== 's3' || settings.AWS_ACCESS_KEY_ID !== undefined) return [];
  const message =
    'must be set on Workers, which have no role of a machine, because REGSHIFT_STORE is a bucket of S3';
  return [{ variable: 'AWS_ACCESS_KEY_ID', value: 'not set', message }];
}

function helperOf({ settings }: RouteSettings): string[] {
  const { REGSHIFT_UPSTREAM: upstreams, REGSHIFT_DOCKER_CONFIG: config } = settings;
  if (settings.REGSHIFT_UPSTREAM_AUTH !== 'docker-config' || !upstreams || !config) return [];
  return loginsFor(config, upstreams).flatMap((found) => ('helper' in found ? [found.helper.program] : []));
}
