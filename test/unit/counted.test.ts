import { expect, test } from 'vitest';
import { counted } from '../../src/counted.ts';

test('counted', () => {
  expect([counted(1, 'entry', 'entries'), counted(2, 'entry', 'entries'), counted(0, 'byte')]).toEqual([
    '1 entry',
    '2 entries',
    '0 bytes',
  ]);
});
