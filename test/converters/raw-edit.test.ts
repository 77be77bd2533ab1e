import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawArray, RawObject } from '../../converters/json/document.ts';
import { RawEdit } from '../../converters/json/edit.ts';
import { parseJson } from '../../converters/json/parse.ts';

type Members = Record<string, unknown>;

interface Plan {
  readonly text: string;
  /** The value of the text. */
  readonly value: Members;
  readonly removed: ReadonlySet<string>;
  readonly set: Members;
  readonly after: string;
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'mediaType', '__proto__', '10', '9', 'é"\\');
const value = fc.jsonValue({ maxDepth: 2 });
const plan: fc.Arbitrary<Plan> = fc
  .record({
    members: fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 6 }),
    removed: fc.array(key),
    set: fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 2 }),
    after: key,
    indent: fc.constantFrom('', '  ', '\t'),
    space: fc.constantFrom('', '\n', ' \r\n '),
  })
  .map(({ members, removed, set, after, indent, space }) => ({
    text: space + layOut(members, indent) + space,
    value: fromEntries(members),
    removed: new Set(removed.filter((name) => !set.some(([other]) => other === name) && name !== after)),
    set: fromEntries(set.slice(0, 1)),
    after,
  }));

function layOut(members: readonly [string, unknown][], indent: string): string {
  const line = indent === '' ? '' : `\n${indent}`;
  const colon = indent === '' ? ':' : ': ';
  const written = members.map(
    ([name, each]) => `${line}${JSON.stringify(name)}${colon}${JSON.stringify(each, null, indent)}`,
  );
  return `{${written.join(',')}${written.length > 0 && indent !== '' ? '\n' : ''}}`;
}

/** Like `Object.fromEntries`, but with `__proto__` as an ordinary key, as in JSON. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): Members {
  return JSON.parse(
    `{${entries.map(([name, each]) => `${JSON.stringify(name)}:${JSON.stringify(each)}`).join(',')}}`,
  );
}

function open(text: string) {
  const document = parseJson(new TextEncoder().encode(text), { what: 'test', keys: 'distinct' });
  return { edit: new RawEdit(document), root: document.root };
}

describe('RawEdit', () => {
  it('changes the value as the same changes of a plain object do', () => {
    fc.assert(
      fc.property(plan, ({ text, value: before, removed, set, after }) => {
        const { edit, root } = open(text);
        edit.removeMembers(root as RawObject, (name) => removed.has(name));
        for (const [name, each] of Object.entries(set)) {
          edit.set(root as RawObject, name, JSON.stringify(each), after);
        }
        const kept = Object.entries(before).filter(
          ([name]) => !removed.has(name) && !Object.hasOwn(set, name),
        );
        expect(JSON.parse(edit.apply())).toEqual(fromEntries([...kept, ...Object.entries(set)]));
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps every character of unchanged members', () => {
    fc.assert(
      fc.property(plan, ({ text, removed }) => {
        const { edit, root } = open(text);
        edit.removeMembers(root as RawObject, (name) => removed.has(name));
        const after = edit.apply();
        const pieces = (root as RawObject).members
          .filter((each) => !removed.has(each.key))
          .map((each) => text.slice(each.keySpan.start, each.value.end));
        let position = 0;
        for (const piece of pieces) {
          position = after.indexOf(piece, position);
          expect(position).toBeGreaterThanOrEqual(0);
          position += piece.length;
        }
        if (pieces.length === (root as RawObject).members.length) expect(after).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });

  it('removes items and their commas', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(value, fc.boolean()), { maxLength: 8 }), (items) => {
        const { edit, root } = open(
          JSON.stringify(
            items.map(([each]) => each),
            null,
            2,
          ),
        );
        edit.removeItems(root as RawArray, (index) => items[index]?.[1] ?? false);
        expect(JSON.parse(edit.apply())).toEqual(
          JSON.parse(JSON.stringify(items.filter(([, gone]) => !gone).map(([each]) => each))),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('keeps an equal string in other escapes', () => {
    const text = '{"mediaType" :\t"application\\/json"}';
    const { edit, root } = open(text);
    edit.setString(root as RawObject, 'mediaType', 'application/json', 'mediaType');
    expect(edit.apply()).toBe(text);
  });

  it.each([
    ['{}', '{"k":1}'],
    ['{"a":0}', '{"a":0,"k":1}'],
    ['{\n  "a": 0,\n  "b": 0\n}', '{\n  "a": 0,\n  "k": 1,\n  "b": 0\n}'],
    ['{ "b" : 0 }', '{ "b" : 0, "k" : 1 }'],
  ])('adds to %j in its own layout', (text, expected) => {
    const { edit, root } = open(text);
    edit.set(root as RawObject, 'k', '1', 'a');
    expect(edit.apply()).toBe(expected);
  });
});
