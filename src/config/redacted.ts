import { notShown, type SettingProblem } from './problem.ts';
import type { Variable } from './schema.ts';

/** Settings that are secret, and those that have a login in them. */
const secret = /KEY|PASSWORD|SECRET|SESSION_TOKEN|REDIS_URL|USERNAME|HTPASSWD|DOCKER_CONFIG|JWKS(?!_URL)/;

/** Settings of addresses, in which people also write a login. */
const addresses = /URL|UPSTREAM$|PROXY$/i;

/**
 * An address without the parts that may have a secret: no login, query or fragment, and no long word that may be a token.
 */
const harmlessAddress =
  /^(?:[a-z][a-z0-9+]*:\/\/(?:[a-z0-9-]{1,63}|\[[0-9a-f:]+\])|[a-z0-9-]{1,63}(?=[.:/])|localhost)(?:\.[a-z0-9-]{1,63})*(?::\d{1,5})?(?:\/[a-z0-9._-]{0,20})*$/;

/** Settings whose value may be the path of a file that is not secret. */
const publicFiles: ReadonlySet<string> = new Set([
  'REGSHIFT_CONFIG',
  'REGSHIFT_UPSTREAM_CA',
  'REGSHIFT_UPSTREAM_CERT',
  'REGSHIFT_TLS_CERT',
]);

/** The value of a setting as a message may show it, without secrets. */
export function redacted(variable: Variable | string, value: unknown): string {
  if (value === undefined) return 'not set';
  if (Array.isArray(value) && value.length > 0) return 'a list';
  // Its members may be secret.
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return 'a mapping';
  if (secret.test(variable)) return notShown;
  if (addresses.test(variable)) {
    const parts = String(value).split(/[\s,]+/);
    return parts.every((part) => harmlessAddress.test(part)) ? JSON.stringify(value) : notShown;
  }
  return publicFiles.has(variable) ? redactedPath(variable, String(value)) : JSON.stringify(value);
}

/** The path in a setting as a message may show it: not that of a secret, because the secret may stand in its place. */
export function redactedPath(variable: string, path: string): string {
  const isPath = publicFiles.has(variable) && /^[\w./\\: -]{1,200}$/.test(path);
  return isPath ? JSON.stringify(path) : notShown;
}

/** A problem as a response to anyone may show it: without addresses and paths, which tell about the network behind. */
export function forEveryone(problem: SettingProblem): SettingProblem {
  const { variable, value } = problem;
  const tells = addresses.test(variable) || /(?:CA|CERT)$/i.test(variable);
  return tells && value.startsWith('"') ? { ...problem, value: notShown } : problem;
}
