import { describe, expect, it } from 'vitest';
import { quote, quoteInTurns } from '../../converters/json/lossless-text.ts';

/** As Go writes it: JSON.stringify, with HTML escaped. */
const expected = (text: string) =>
  JSON.stringify(text).replace(/[<>&]/g, (each) => `\\u00${each.charCodeAt(0).toString(16)}`);

const refused = expect.objectContaining({ code: 'LIMIT' });

describe('a long text', () => {
  it.each([
    ['a surrogate pair', '\u{1f600}'],
    ['an escape', '\n'],
    ['angle brackets', '<>'],
    ['letters', 'ab'],
  ])('is quoted as a whole, with %s at any place', async (_, part) => {
    for (let before = 65_530; before < 65_540; before += 1) {
      const text = `${'a'.repeat(before)}${part.repeat(3)}${'b'.repeat(70_000)}${part}`;
      expect(quote(text)).toBe(expected(text));
      expect(await quoteInTurns(text, undefined)).toBe(expected(text));
    }
  });

  it('keeps the meaning of a high surrogate without its other half', () => {
    const text = `${'a'.repeat(65_535)}\ud83dx${'b'.repeat(10)}`;
    expect(quote(text)).toBe(`"${'a'.repeat(65_535)}\\ufffdx${'b'.repeat(10)}"`);
  });

  it('is refused where its literal is longer than a document, soon after that shows', async () => {
    const turns: number[] = [];
    const turn = (bytes: number) => void turns.push(bytes);
    const text = '<'.repeat(4_000_000);
    expect(() => quote(text)).toThrow(refused);
    await expect(quoteInTurns(text, turn)).rejects.toEqual(refused);
    // Each piece of 65,536 brackets has 393,216 characters, and a document 4,194,304.
    expect(turns.length).toBeLessThan(14);
  });

  it('waits for a turn before each piece', async () => {
    const turns: number[] = [];
    await quoteInTurns('a'.repeat(200_000), (bytes) => void turns.push(bytes));
    expect(turns).toEqual([65_536, 65_536, 65_536, 65_536, 3_392]);
  });
});
