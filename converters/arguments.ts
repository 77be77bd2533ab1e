/** Checks of arguments of callers in JavaScript, whose types no compiler checks. */
import type { ConversionContext } from './conversion.ts';
import { ConversionError } from './errors.ts';
import type { Model } from './model.ts';

export function isModel(value: unknown): value is Model {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** @throws ConversionError UNREADABLE for a value that is no result of `readManifest`. */
export function checkIsModel(value: unknown): asserts value is Model {
  if (!isModel(value)) throw wrong('A model of a manifest', value, 'the result of readManifest');
}

/** @throws ConversionError UNREADABLE for a context without its ports or one of its names. */
export function checkContext(context: unknown): asserts context is ConversionContext {
  const { ports, name, tag }: Readonly<Record<string, unknown>> = Object(context);
  if (typeof ports !== 'object' || ports === null)
    throw wrong('The ports of a conversion', ports, 'an object');
  for (const [key, value] of Object.entries({ name, tag })) {
    if (typeof value !== 'string') throw wrong(`The ${key} of a conversion`, value, 'a string');
  }
}

function wrong(what: string, value: unknown, expected: string): ConversionError {
  const found = value === null ? 'null' : typeof value;
  return new ConversionError({ code: 'UNREADABLE', message: `${what} cannot be read`, found, expected });
}
