import * as z from 'zod';
import { count, port } from './numbers.ts';
import { notSet, type RawSettings, type SettingProblem } from './problem.ts';

/** Settings for running and monitoring the program. None changes the content that a client gets. */
export const serviceFields = {
  REGSHIFT_TLS_CERT: z.string().min(1).optional(),
  REGSHIFT_TLS_KEY: z.string().min(1).optional(),
  REGSHIFT_METRICS_PORT: port.optional(),
  REGSHIFT_PAGE: z.enum(['on', 'off', 'status'], { error: 'must be on, off or status' }).default('on'),
  REGSHIFT_MAX_REQUESTS: count('requests', 1_000_000, 1).optional(),
  REGSHIFT_SHUTDOWN_GRACE: count('seconds', 300).default(3),
  REGSHIFT_SHUTDOWN_DEADLINE: count('seconds', 3600).default(30),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'], { error: 'must be debug, info, warn or error' })
    .default('info'),
  LOG_FORMAT: z.enum(['auto', 'json', 'text'], { error: 'must be auto, json or text' }).default('auto'),
};

/** Requires a TLS certificate and its key together. */
export function serviceProblems(raw: RawSettings): SettingProblem[] {
  const pair = ['REGSHIFT_TLS_CERT', 'REGSHIFT_TLS_KEY'] as const;
  const [missing, ...others] = pair.filter((name) => raw[name] === undefined);
  if (missing === undefined || others.length > 0) return [];
  const other = pair.find((name) => name !== missing);
  const message = `must be, because ${other} is: TLS needs a certificate and its key, each as PEM or as a path to it`;
  return [{ variable: missing, value: notSet, message }];
}
