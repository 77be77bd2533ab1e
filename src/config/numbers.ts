import * as z from 'zod/mini';
import { parseBytes } from '../byte-text.ts';

interface Bounds {
  readonly minimum: number;
  readonly maximum: number;
  /** The unit of a number whose text may have a unit. */
  readonly unit?: 'bytes';
}

/** The bounds of each number that this file makes. */
const bounds = z.registry<Bounds>();

/**
 * A number in decimal digits, and in no other notation of JavaScript: `0x50` and `1e3` are more probably mistakes.
 * @param error the message for all other text.
 */
const decimal = (error: string) =>
  z.pipe(z.string(error).check(z.regex(/^\s*-?\d+\s*$/, error)), z.transform(Number));

/**
 * A whole number between two bounds, both included.
 * @param what the unit for the messages, like `seconds`.
 */
export const count = (what: string, maximum: number, minimum = 0) => {
  const error = `must be a whole number of ${what}`;
  const tooSmall = `must be ${minimum} or more ${what}`;
  const tooLarge = `must be at most ${maximum} ${what}`;
  return z
    .pipe(decimal(error), z.number(error).check(z.minimum(minimum, tooSmall), z.maximum(maximum, tooLarge)))
    .register(bounds, { minimum, maximum });
};

/** A number of bytes, with or without a unit: `500`, `10GB`, `10GiB`. */
export const byteCount = (minimum = 0) => {
  const error = `must be ${minimum} or more bytes, as a whole number or with a unit, like 10GB or 10GiB`;
  const maximum = Number.MAX_SAFE_INTEGER;
  const tooLarge = `must be at most ${maximum} bytes`;
  const text = z.pipe(z.string(error), z.transform(parseBytes));
  return z
    .pipe(text, z.number(error).check(z.minimum(minimum, error), z.maximum(maximum, tooLarge)))
    .register(bounds, { minimum, maximum, unit: 'bytes' });
};

const portRange = 'must be a whole number from 0 to 65535';
export const port = z
  .pipe(decimal(portRange), z.number(portRange).check(z.minimum(0, portRange), z.maximum(65_535, portRange)))
  .register(bounds, { minimum: 0, maximum: 65_535 });

/** The bounds of a field of this file, with or without a default; undefined for any other field. */
export function boundsOf(field: z.core.$ZodType): Bounds | undefined {
  return bounds.get(withoutDefault(field));
}

/** The field that an optional one, or one with a default, is made of. */
export function withoutDefault(field: z.core.$ZodType): z.core.$ZodType {
  return field instanceof z.ZodMiniOptional || field instanceof z.ZodMiniDefault
    ? field.def.innerType
    : field;
}
