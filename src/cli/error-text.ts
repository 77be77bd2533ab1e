import { ConversionError } from '../../converters/errors.ts';
import { RegistryError } from '../errors.ts';
import { lackedBlob } from '../registry/push/push-errors.ts';

/** The code of the error of a request by plain HTTP to a server that speaks TLS (images/tls-hint.ts). */
export const speaksTlsCode = 'ERR_SPEAKS_TLS';

/** The server that a command contacts: a registry, or for `warm` a proxy. */
type Server = 'registry' | 'proxy';

/** Reasons that an option or a name mends, by the code of the network error. */
const remedies: Readonly<Record<string, (host: string, server: Server, options: GivenOptions) => string>> = {
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

function plainHttp(host: string, server: Server, options: GivenOptions): string {
  // A name that begins with https:// wins over the option.
  const option = server === 'registry' && !options.plainHttp ? ' or --plain-http' : '';
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

/** The files of `docker login` or `podman login` whose logins a command uses, in place of those of options. */
export type LoginFiles = Partial<Record<Side, string | undefined>>;

/** The options of a command that errors speak of. Logins have a colon between user and password. */
export interface GivenOptions {
  readonly creds?: string | undefined;
  readonly toCreds?: string | undefined;
  readonly plainHttp?: true | undefined;
}

/** The facts that the next step of a user depends on. */
interface Refused {
  readonly side: unknown;
  readonly server: Server;
  readonly code: RegistryError['code'];
  /** The user whose login the option of the side gave. */
  readonly user: string | undefined;
  /** The file that gave the login. */
  readonly file: string | undefined;
}

/** Steps for a user whose request was refused, by the status of the response. */
const steps: Readonly<Record<number, (refused: Refused) => string>> = {
  401: ({ side, server, user, file }) => {
    const option = optionOf(side);
    if (file !== undefined)
      return `The ${server} refused the login of ${file}. Log in again, or give another login by ${option}.`;
    return user === undefined
      ? `Log in with docker login, or give the login by ${option}.`
      : `The ${server} refused the login that ${option} gave for the user ${user}. Check the user name and the password.`;
  },
  403: ({ side }) =>
    side === 'target'
      ? 'Use a login that may push to it: docker login, or --to-creds.'
      : 'Use a login that may read it: docker login, or --creds.',
  404: ({ side, code }) => {
    // A manifest names the blob, so the name of the image is right.
    if (code === 'BLOB_UNKNOWN') return 'The registry has lost a part of the image. Push the image again.';
    const isPush = side === 'target' && code === 'NAME_UNKNOWN';
    return isPush
      ? 'Check the name. Some registries take pushes only to a repository that was created before.'
      : 'Check the name and the tag.';
  },
};

function optionOf(side: unknown): '--creds' | '--to-creds' {
  return side === 'target' ? '--to-creds' : '--creds';
}

/**
 * Words an error of an image or of a server for a user of the command line.
 * `detail.advice` is the next step of a command that knows more than the status tells.
 * @param failure a conversion that ended because of a lost part is worded as the registry's answer for that part.
 * @param server the server that the command contacts.
 * @param options the options of the command. The text has the user of a refused login, and never the password.
 * @param files the files that gave the logins.
 */
export function errorText(
  failure: RegistryError | ConversionError,
  server: Server = 'registry',
  options: GivenOptions = {},
  files: LoginFiles = {},
): string {
  const error = lostPartOf(failure) ?? failure;
  const text = serverText(error.message, server);
  if (!(error instanceof RegistryError) || error.detail?.proxy !== undefined) return text;
  const { code, host, upstreamStatus, side, advice } = error.detail ?? {};
  const user = userOf(side === 'target' ? options.toCreds : options.creds);
  const file = files[side === 'target' ? 'target' : 'source'];
  // A token server refuses a login without a status of the registry.
  if (error.code === 'UNAUTHORIZED' && upstreamStatus === undefined) {
    if (file !== undefined) return `${text} The login is that of ${file}.`;
    if (user !== undefined) return `${text} The login is that of ${optionOf(side)}, for the user ${user}.`;
  }
  // A 404 of a proxy may be about the client, and its text says so.
  const isWhole = server === 'proxy' && upstreamStatus === 404;
  const step = isWhole
    ? undefined
    : steps[Number(upstreamStatus)]?.({ side, server, code: error.code, user, file });
  const remedy = remedies[String(code)]?.(String(host), server, options);
  const next = advice ?? step;
  return remedy ?? (next === undefined ? text : `${text} ${next}`);
}

/** The registry's answer for a part of an image that a conversion needed, and that the registry has lost. */
export function lostPartOf(error: unknown): RegistryError | undefined {
  return error instanceof ConversionError ? lackedBlob(error) : undefined;
}

function userOf(login: string | undefined): string | undefined {
  return login === undefined ? undefined : JSON.stringify(login.slice(0, login.indexOf(':')));
}

/** Names the contacted server where the messages of the proxy say upstream: a command has no proxy before a registry. */
export function serverText(message: string, server: Server): string {
  return message
    .replace(/(?<=^|[.:] )Upstream\b/g, `The ${server}`)
    .replace(/\bThe login for upstream\b/, `The login for the ${server}`)
    .replace(/\brefused the proxy's own (?:account|identity token):/, 'refused the login:')
    .replace('REGSHIFT_UPSTREAM names a registry', `the host is a ${server}`);
}
