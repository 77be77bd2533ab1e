import { describe, expect, it } from 'vitest';
import { mayName } from '../../../../src/registry/push/named-content.ts';

const wanted = `sha256:${'a'.repeat(64)}`;
const other = `sha256:${'b'.repeat(64)}`;
const isWanted = (digest: string) => digest === wanted;
const bytesOf = (text: string) => new TextEncoder().encode(text);

describe('mayName', () => {
  it.each<[why: string, text: string, named: boolean]>([
    ['a wanted digest', `{"digest":"${other}","layers":[{"digest":"${wanted}"}]}`, true],
    ['other digests', `{"digest":"${other}"}`, false],
    ['a longer word that begins like a wanted digest', `{"digest":"${wanted}a"}`, false],
    ['a digest that is written with an escape', `{"digest":"\\u0073${wanted.slice(1)}"}`, true],
    ['no JSON', 'digest', false],
    ['no byte', '', false],
  ])('%s', (_, text, named) => {
    expect(mayName(bytesOf(text), isWanted)).toBe(named);
  });

  it('passes over bytes that are no text', () => {
    expect(mayName(Uint8Array.of(0xff, 0xfe, ...bytesOf(`"${wanted}"`)), isWanted)).toBe(true);
  });
});
