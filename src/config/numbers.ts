import * as z from 'zod';

/**
 * A whole number between two bounds, both included.
 * @param what the unit for the messages, like `seconds`.
 */
export const count = (what: string, maximum: number, minimum = 0) =>
  z.coerce
    .number({ error: `must be a whole number of ${what}` })
    .int(`must be a whole number of ${what}`)
    .min(minimum, `must be ${minimum} or more ${what}`)
    .max(maximum, `must be at most ${maximum} ${what}`);

const portRange = 'must be a whole number from 0 to 65535';
export const port = z.coerce
  .number({ error: portRange })
  .int(portRange)
  .min(0, portRange)
  .max(65_535, portRange);
