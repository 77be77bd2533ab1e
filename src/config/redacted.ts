import { notSet, notShown, type SettingProblem, withheld } from './problem.ts';

/** Settings that are secret, and those that have a login in them. */
const secret = /KEY|PASSWORD|SECRET|SESSION_TOKEN|REDIS_URL|USERNAME|HTPASSWD|DOCKER_CONFIG|JWKS(?!_URL)/;

/** Settings of addresses, in which people also write a login. */
const addresses = /URL|UPSTREAM(?:_ALIASES|Aliases)?$|PROXY$|STORE$/i;

/**
 * An address without the parts that may have a secret: no login, query or fragment, and no long word that may be a token.
 * The path of a folder is one, too.
 */
const harmlessAddress =
  /^(?:[a-z][a-z0-9+]*:\/\/(?:[a-z0-9-]{1,63}|\[[0-9a-f:]+\])|[a-z0-9-]{1,63}(?=[.:/])|(?:file:\/\/)?(?=\/)|localhost)(?:\.[a-z0-9-]{1,63})*(?::\d{1,5})?(?:\/[a-z0-9._-]{0,20})*$/;

/** The name of a machine alone, like that of a container: one or two words. Passwords have digits, or are longer. */
const bareHost = /^(?=.{1,20}$)[a-z]+(?:[-_][a-z]+)?$/;

/** A login in an address, in whichever setting somebody wrote it. */
const loginInAddress = /\/\/[^/?#\s]*@/;

/** Settings whose value may be the path of a file that is not secret. */
const publicFiles: ReadonlySet<string> = new Set([
  'REGSHIFT_CONFIG',
  'REGSHIFT_UPSTREAM_CA',
  'REGSHIFT_UPSTREAM_CERT',
  'REGSHIFT_TLS_CERT',
]);

/** The value of a setting as a message may show it, without secrets. */
export function redacted(variable: string, value: unknown): string {
  if (value === undefined) return notSet;
  if (Array.isArray(value) && value.length > 0) return 'a list';
  // Its members may be secret.
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return 'a mapping';
  if (secret.test(variable)) return notShown;
  if (addresses.test(variable)) {
    const parts = String(value).split(/[\s,]+/);
    return parts.every(isHarmless) ? JSON.stringify(value) : withheld;
  }
  if (publicFiles.has(variable)) return redactedPath(variable, String(value));
  return loginInAddress.test(String(value)) ? withheld : JSON.stringify(value);
}

function isHarmless(address: string): boolean {
  return harmlessAddress.test(address) || bareHost.test(address);
}

/** One of several texts in the value of a setting, as a message may quote it. */
export function redactedPart(variable: string, part: string): string {
  const text = redacted(variable, part);
  return text.startsWith('"') ? text : 'one of them';
}

/** A host and its port, with or without a database: a Redis without a login. */
const hostAndPort = /^[^/]*:\d{1,5}(?:\/\d{0,5})?$/;

/** The path in a setting as a message may show it: not that of a secret, because the secret may stand in its place. */
export function redactedPath(variable: string, path: string): string {
  const isRedis = variable === 'REGSHIFT_REDIS_URL' && hostAndPort.test(path) && harmlessAddress.test(path);
  if (isRedis) return JSON.stringify(path);
  const isPath = publicFiles.has(variable) && /^[\w./\\: -]{1,200}$/.test(path);
  if (isPath) return JSON.stringify(path);
  return publicFiles.has(variable) ? withheld : notShown;
}

/** A problem as a response to anyone may show it: without addresses and paths, which tell about the network behind. */
export function forEveryone(problem: SettingProblem): SettingProblem {
  const { variable, value, message } = problem;
  const tells = addresses.test(variable) || /(?:CA|CERT)$/i.test(variable);
  if (!tells || !value.startsWith('"')) return problem;
  return { ...problem, value: notShown, message: message.replace(/"(?:[^"\\]|\\.)*"/g, 'one of them') };
}
