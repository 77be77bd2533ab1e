import type { RedisAddress, RedisLogin } from '../../../config/redis-address.ts';

/** Reasons that do not say what is wrong with REGSHIFT_REDIS_URL, with what to do about each. */
const advice: readonly (readonly [RegExp, string])[] = [
  [/^(MOVED|ASK) /, 'The server is a node of a cluster: begin REGSHIFT_REDIS_URL with redis-cluster://'],
  [/unknown command .SENTINEL/i, 'The server is no Sentinel: name the Sentinels, or begin with redis://'],
  [/cluster support disabled|unknown command .CLUSTER/i, 'The server is in no cluster: begin with redis://'],
  [
    /unknown command .(GETRANGE|SET|SADD)\b/i,
    'If the server is a Sentinel, begin REGSHIFT_REDIS_URL with redis-sentinel://',
  ],
  [/^READONLY /, 'The server is a replica: name its master or its Sentinels'],
  [/DB index is out of range/, 'Correct the number of the database in REGSHIFT_REDIS_URL'],
  [/self.signed certificate|unable to (get|verify)/, 'Name its authority in NODE_EXTRA_CA_CERTS'],
  [/certificate required/, 'Set tls-auth-clients no at the server: regshift shows no certificate'],
  [/Unknown RESP type/, 'The server is no Redis, or wants TLS (rediss://)'],
];

/**
 * Makes a function that tells the reason of an error for the log, without a user or a password of the address: a server
 * quotes the arguments of a command that it does not know, and AUTH has the password (Redis, `commandCheckExistence` in
 * src/server.c).
 */
export function createReasonOf(address: RedisAddress): (error: unknown) => string {
  const secrets = secretsOf(address);
  return (error) => {
    // Messages of OpenSSL end with a line break.
    const text = textOf(error)
      .replace(/,? with args beginning with.*$/is, '')
      .trimEnd();
    return advised(secrets.reduce(withoutWord, text));
  };
}

function advised(reason: string): string {
  const todo = advice.find(([of]) => of.test(reason))?.[1];
  return todo === undefined ? reason : `${reason.replace(/\.$/, '')}. ${todo}.`;
}

/** Reasons of a server that speaks TLS where regshift does not, or the other way round, and of one that breaks down. */
const saysNothing = /ECONNRESET|EPIPE|closed unexpectedly|disconnected before|^no answer/;

/**
 * The reason of a server that has not answered once since the start. With TLS, Redis breaks the connection of a client
 * without a certificate, unless its settings have `tls-auth-clients no` (Redis 7.0.15, redis.conf).
 */
export function reasonOfSilence(reason: string, address: RedisAddress): string {
  if (!saysNothing.test(reason)) return reason;
  const isTls = address.topology === 'single' ? address.url.protocol === 'rediss:' : address.tls;
  const todo = isTls
    ? 'The server must speak TLS, and ask clients for no certificate (tls-auth-clients no)'
    : 'If the server wants TLS, begin REGSHIFT_REDIS_URL with rediss';
  return `${reason.replace(/\.$/, '')}. ${todo}.`;
}

/** If a name has several addresses and none answers, the error has a code and no message. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || 'the connection broke';
}

/** Users and passwords, as they are and as an address has them, the longest first. */
function secretsOf(address: RedisAddress): readonly string[] {
  const decoded = loginsOf(address).flatMap(({ username = '', password = '' }) => [username, password]);
  const raw = address.topology === 'single' ? [address.url.username, address.url.password] : [];
  const all = [...decoded, ...raw].filter((secret) => secret !== '');
  const forms = all.flatMap((secret) => [secret, encodeURIComponent(secret)]);
  return [...new Set(forms)].toSorted((one, other) => other.length - one.length);
}

/** Leaves a secret out where it stands by itself: a short one may be a part of a word like `WRONGPASS`. */
function withoutWord(text: string, secret: string): string {
  return text
    .split(secret)
    .reduce((before, after) =>
      isLetter(before.at(-1)) || isLetter(after[0]) ? before + secret + after : `${before}…${after}`,
    );
}

function isLetter(character = ''): boolean {
  return /[\p{L}\p{N}]/u.test(character);
}

function loginsOf(address: RedisAddress): readonly RedisLogin[] {
  if (address.topology === 'cluster') return [address.login];
  if (address.topology === 'sentinel') return [address.login, address.sentinelLogin];
  const { username, password } = address.url;
  return [{ username: decodeURIComponent(username), password: decodeURIComponent(password) }];
}

/** The word in a reason that names its kind, like `WRONGPASS` or `ECONNREFUSED`; without one, the whole reason. */
export function codeIn(reason: string): string {
  return /\b[A-Z][A-Z_]{2,}\b/.exec(reason)?.[0] ?? reason;
}
