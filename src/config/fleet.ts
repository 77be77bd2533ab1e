import * as z from 'zod';
import type { RawSettings, SettingProblem } from './problem.ts';

const urlForm = 'must be like redis://127.0.0.1:6379/0, or rediss://user:password@redis.example:6380 for TLS';

/** The URL of Redis. No message quotes it, because it holds the password. */
const redisUrl = z.string().transform((text, context) => {
  const url = parseRedisUrl(text.trim());
  if (url) return url;
  context.addIssue({ code: 'custom', message: urlForm });
  return z.NEVER;
});

function parseRedisUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const { protocol, hostname, pathname, search, hash, username, password } = url;
  const isRedis = ['redis:', 'rediss:'].includes(protocol) && hostname !== '' && search + hash === '';
  return isRedis && /^\/?\d{0,5}$/.test(pathname) && isDecodable(username + password) ? url : undefined;
}

/** False for text with a % that begins no escape; a password may contain one. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** The settings of what several replicas share. */
export const fleetFields = {
  REGSHIFT_REDIS_URL: redisUrl.optional(),
};

/** Requires a signing key where replicas share a cache, because each must open what another replica seals or signs. */
export function fleetProblems(raw: RawSettings): SettingProblem[] {
  if (raw.REGSHIFT_REDIS_URL === undefined || raw.REGSHIFT_SIGNING_KEY !== undefined) return [];
  const message =
    'must be, because REGSHIFT_REDIS_URL is: replicas that share a cache sign with one key. Give all of them the ' +
    'same P-256 private key, or a path to it (openssl ecparam -name prime256v1 -genkey)';
  return [{ variable: 'REGSHIFT_SIGNING_KEY', value: 'not set', message }];
}
