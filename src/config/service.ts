import * as z from 'zod/mini';
import { count, port } from './numbers.ts';
import { filled } from './read-text.ts';

/** Settings for running and monitoring the program. None changes the content that a client gets. */
export const serviceFields = {
  REGSHIFT_TLS_CERT: z.optional(filled),
  REGSHIFT_TLS_KEY: z.optional(filled),
  REGSHIFT_METRICS_PORT: z.optional(port),
  REGSHIFT_PAGE: z._default(z.enum(['on', 'off', 'status'], 'must be on, off or status'), 'on'),
  REGSHIFT_MAX_REQUESTS: z.optional(count('requests', 1_000_000, 1)),
  REGSHIFT_SHUTDOWN_GRACE: z._default(count('seconds', 300), 3),
  REGSHIFT_SHUTDOWN_DEADLINE: z._default(count('seconds', 3600), 30),
  LOG_LEVEL: z._default(
    z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error'),
    'info',
  ),
  LOG_FORMAT: z._default(z.enum(['auto', 'json', 'text'], 'must be auto, json or text'), 'auto'),
};
