import * as z from 'zod';
import { parseBytes } from '../byte-text.ts';

/**
 * A number in decimal digits, and in no other notation of JavaScript: `0x50` and `1e3` are more probably mistakes.
 * @param error the message for all other text.
 */
const decimal = (error: string) =>
  z
    .string({ error })
    .regex(/^\s*-?\d+\s*$/, error)
    .transform(Number);

/**
 * A whole number between two bounds, both included.
 * @param what the unit for the messages, like `seconds`.
 */
export const count = (what: string, maximum: number, minimum = 0) => {
  const error = `must be a whole number of ${what}`;
  return decimal(error).pipe(
    z
      .number({ error })
      .min(minimum, `must be ${minimum} or more ${what}`)
      .max(maximum, `must be at most ${maximum} ${what}`),
  );
};

/** A number of bytes, with or without a unit: `500`, `10GB`, `10GiB`. */
export const byteCount = (minimum = 0) => {
  const error = `must be ${minimum} or more bytes, as a whole number or with a unit, like 10GB or 10GiB`;
  const maximum = Number.MAX_SAFE_INTEGER;
  return z
    .string({ error })
    .transform(parseBytes)
    .pipe(z.number({ error }).min(minimum, error).max(maximum, `must be at most ${maximum} bytes`))
    .meta({ unit: 'bytes' });
};

const portRange = 'must be a whole number from 0 to 65535';
export const port = decimal(portRange).pipe(
  z.number({ error: portRange }).min(0, portRange).max(65_535, portRange),
);

interface Bounds {
  readonly minimum: number;
  readonly maximum: number;
}

/** The bounds of a field of this file, with or without a default; undefined for any other field. */
export function boundsOf(field: unknown): Bounds | undefined {
  const inner = withoutDefault(field);
  if (!(inner instanceof z.ZodPipe && inner.out instanceof z.ZodNumber)) return undefined;
  const { minValue, maxValue } = inner.out;
  return minValue === null || maxValue === null ? undefined : { minimum: minValue, maximum: maxValue };
}

/** True for a number of bytes, whose text may have a unit. */
export function isByteCount(field: unknown): boolean {
  const inner = withoutDefault(field);
  return inner instanceof z.ZodPipe && inner.meta()?.unit === 'bytes';
}

function withoutDefault(field: unknown): unknown {
  return field instanceof z.ZodOptional || field instanceof z.ZodDefault ? field.unwrap() : field;
}
