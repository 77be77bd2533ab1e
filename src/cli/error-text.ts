import type { ConversionError } from '../../converters/errors.ts';
import { RegistryError } from '../errors.ts';

/** The code of the error of a request by plain HTTP to a server that speaks TLS (images/tls-hint.ts). */
export const speaksTlsCode = 'ERR_SPEAKS_TLS';

/** The server that a command contacts: a registry, or for `warm` a proxy. */
type Server = 'registry' | 'proxy';

/** Reasons that an option or a name mends, by the code of the network error. */
const remedies: Readonly<Record<string, (host: string, server: Server) => string>> = {
  [speaksTlsCode]: (host, server) => `${host}: this ${server} speaks TLS: use https://.`,
  ERR_SSL_WRONG_VERSION_NUMBER: plainHttp,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: plainHttp,
  ...Object.fromEntries(
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    ].map((code) => [code, untrusted]),
  ),
};

function plainHttp(host: string, server: Server): string {
  const option = server === 'registry' ? ' or --plain-http' : '';
  return `${host}: this ${server} speaks plain HTTP: use http://${option}.`;
}

function untrusted(host: string, server: Server): string {
  const remedy =
    server === 'registry'
      ? 'name its authority with --ca, or use --tls-verify=false'
      : 'name its authority in NODE_EXTRA_CA_CERTS';
  return `${host}: its certificate is not trusted: ${remedy}.`;
}

/** The registries of a copy, which have options of their own for their logins. `detail.side` of an error names one. */
export type Side = 'source' | 'target';

/** Steps for a user whose request was refused, by the status of the response. */
const steps: Readonly<Record<number, (side: unknown) => string>> = {
  401: (side) =>
    `Log in with docker login, or give the login by ${side === 'target' ? '--to-creds' : '--creds'}.`,
  403: (side) =>
    side === 'target'
      ? 'Use a login that may push to it: docker login, or --to-creds.'
      : 'Use a login that may read it: docker login, or --creds.',
  404: () => 'Check the name and the tag.',
};

/**
 * Words an error of an image or of a server for a user of the command line.
 * @param server the server that the command contacts.
 */
export function errorText(error: RegistryError | ConversionError, server: Server = 'registry'): string {
  const text = serverText(error.message, server);
  if (!(error instanceof RegistryError) || error.detail?.proxy !== undefined) return text;
  const { code, host, upstreamStatus, side } = error.detail ?? {};
  // A 404 of a proxy may be about the client, and its text says so.
  const isWhole = server === 'proxy' && upstreamStatus === 404;
  const step = isWhole ? undefined : steps[Number(upstreamStatus)]?.(side);
  const remedy = remedies[String(code)]?.(String(host), server);
  return remedy ?? (step === undefined ? text : `${text} ${step}`);
}

/** Names the contacted server where the messages of the proxy say upstream: a command has no proxy before a registry. */
export function serverText(message: string, server: Server): string {
  return message
    .replace(/(?<=^|[.:] )Upstream\b/g, `The ${server}`)
    .replace(/\bThe login for upstream\b/, `The login for the ${server}`)
    .replace('REGSHIFT_UPSTREAM names a registry', `the host is a ${server}`);
}
