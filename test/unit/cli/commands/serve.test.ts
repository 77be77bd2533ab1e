import { expect, test } from 'vitest';
import { withOptions } from '../../../../src/cli/commands/serve.ts';
import type { Io } from '../../../../src/cli/terminal/io.ts';

test('options win over variables, and leave the others', () => {
  const io = { env: { PORT: '1', HOST: '::1', LOG_LEVEL: 'error' } } as unknown as Io;
  expect(withOptions(io, { port: 0, upstream: 'https://registry.example' }).env).toEqual({
    PORT: '0',
    HOST: '::1',
    LOG_LEVEL: 'error',
    REGSHIFT_UPSTREAM: 'https://registry.example',
  });
  expect(withOptions(io, {}).env).toEqual(io.env);
});
