import * as z from 'zod/mini';
import { notSet, type RawSettings, type SettingProblem } from './problem.ts';
import { readText } from './read-text.ts';
import { parseRedisAddress } from './redis-address.ts';

/** The address of Redis. No message quotes it, because it holds passwords. */
const redisUrl = readText((text, refuse) => {
  const address = parseRedisAddress(text.trim());
  return 'problem' in address ? refuse(address.problem) : address;
});

/** The settings of what several replicas share. */
export const fleetFields = {
  REGSHIFT_REDIS_URL: z.optional(redisUrl),
};

/** Requires a signing key where replicas share a cache, because each must open what another replica seals or signs. */
export function fleetProblems(raw: RawSettings): SettingProblem[] {
  if (raw.REGSHIFT_REDIS_URL === undefined || raw.REGSHIFT_SIGNING_KEY !== undefined) return [];
  const message =
    'must be set, because REGSHIFT_REDIS_URL is set: replicas that share a cache sign with one key. Give all of them the ' +
    'same P-256 private key, or a path to it (openssl ecparam -name prime256v1 -genkey)';
  return [{ variable: 'REGSHIFT_SIGNING_KEY', value: notSet, message }];
}
