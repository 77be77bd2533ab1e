import * as z from 'zod';
import { notSet, type RawSettings, type SettingProblem } from './problem.ts';
import { parseRedisAddress } from './redis-address.ts';

/** The address of Redis. No message quotes it, because it holds passwords. */
const redisUrl = z.string().transform((text, context) => {
  const address = parseRedisAddress(text.trim());
  if (!('problem' in address)) return address;
  context.addIssue({ code: 'custom', message: address.problem });
  return z.NEVER;
});

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
  return [{ variable: 'REGSHIFT_SIGNING_KEY', value: notSet, message }];
}
