import { describe, expect, it } from 'vitest';
import { type ConversionCode, ConversionError } from '../../../converters/errors.ts';
import { RegistryError } from '../../../src/errors.ts';
import { errorResponse, registryErrorFrom } from '../../../src/http/errors.ts';

/** Each code of a conversion, with the status and the code of the response. */
const responses: Readonly<Record<ConversionCode, readonly [status: number, code: string]>> = {
  UNREADABLE: [404, 'UNSUPPORTED'],
  UNKNOWN_DIALECT: [404, 'UNSUPPORTED'],
  INVALID: [404, 'UNSUPPORTED'],
  AMBIGUOUS: [404, 'UNSUPPORTED'],
  LIMIT: [404, 'UNSUPPORTED'],
  NOT_AN_IMAGE: [404, 'UNSUPPORTED'],
  NO_PLATFORM: [404, 'UNSUPPORTED'],
  INEXPRESSIBLE: [404, 'UNSUPPORTED'],
  UNAVAILABLE: [404, 'UNSUPPORTED'],
  DIGEST_MISMATCH: [502, 'MANIFEST_INVALID'],
  SIGNATURE: [502, 'MANIFEST_INVALID'],
};

describe('the response to an error of a conversion', () => {
  it.each(Object.entries(responses))('%s: %o', async (code, [status, wireCode]) => {
    const error = new ConversionError({
      code: code as ConversionCode,
      message: 'It cannot be converted',
      path: '$.x',
    });
    const response = errorResponse(error, false);
    const { errors } = (await response.json()) as {
      errors: { code: string; message: string; detail: object }[];
    };
    expect([response.status, errors[0]?.code]).toEqual([status, wireCode]);
    expect(errors[0]?.message).toContain('It cannot be converted');
    expect(errors[0]?.detail).toEqual({ reason: code, path: '$.x' });
  });
});

it('an error of the registry stays as it is, and any other becomes INTERNAL without its text', () => {
  const error = new RegistryError('MANIFEST_UNKNOWN', 'There is no such tag.');
  expect(registryErrorFrom(error)).toBe(error);
  const internal = registryErrorFrom(new Error('a secret'));
  expect([internal.code, internal.message.includes('secret')]).toEqual(['INTERNAL', false]);
});
