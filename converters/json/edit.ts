import {
  member,
  type RawArray,
  type RawDocument,
  type RawObject,
  stringValue,
  type TextSpan,
} from './document.ts';
import { quote } from './lossless-text.ts';

interface Edit extends TextSpan {
  readonly text: string;
}

interface Added {
  readonly key: string;
  readonly json: string;
  readonly after: string;
}

/** Changes parts of a JSON document and keeps every other character. A removed part must not be edited as well. */
export class RawEdit {
  readonly #document: RawDocument;
  readonly #edits: Edit[] = [];
  readonly #removed = new Map<RawObject, (key: string) => boolean>();
  readonly #added = new Map<RawObject, Added[]>();

  constructor(document: RawDocument) {
    this.#document = document;
  }

  /** Removes members and their commas. Callable once per object. @param gone returns true for a key to remove. */
  removeMembers(object: RawObject, gone: (key: string) => boolean): void {
    this.#removed.set(object, gone);
  }

  /** Removes items and their commas. @param gone returns true for an index to remove. */
  removeItems(array: RawArray, gone: (index: number) => boolean): void {
    this.#edits.push(
      ...cuts(
        array.items,
        array.items.map((_, index) => gone(index)),
      ),
    );
  }

  /** Sets a string member. An equal string stays as written, in any escapes. @param after see `set`. */
  setString(object: RawObject, key: string, value: string, after: string): void {
    const present = member(object, key);
    if (present?.kind === 'string' && stringValue(this.#document, present) === value) return;
    this.set(object, key, quote(value), after);
  }

  /**
   * Sets the value of a member, or adds the member in the layout of the object.
   * @param json the value as JSON text.
   * @param after key of the member before the added one; without such a member, it is added at the end.
   */
  set(object: RawObject, key: string, json: string, after: string): void {
    const present = member(object, key);
    if (present) this.#edits.push({ start: present.start, end: present.end, text: json });
    else this.#added.set(object, [...(this.#added.get(object) ?? []), { key, json, after }]);
  }

  /** The text of the document with all changes. */
  apply(): string {
    const { text } = this.#document;
    const parts: string[] = [];
    let position = 0;
    // An insertion goes before a removal that starts at the same offset.
    const all = [...this.#edits, ...this.#memberEdits()];
    for (const edit of all.toSorted((left, right) => left.start - right.start || left.end - right.end)) {
      parts.push(text.slice(position, edit.start), edit.text);
      position = edit.end;
    }
    parts.push(text.slice(position));
    return parts.join('');
  }

  #memberEdits(): Edit[] {
    const objects = new Set([...this.#removed.keys(), ...this.#added.keys()]);
    return [...objects].flatMap((object) => {
      const gone = object.members.map(({ key }) => this.#removed.get(object)?.(key) ?? false);
      const added = this.#added.get(object) ?? [];
      if (!gone.includes(false) && added.length > 0) return [this.#refill(object, added)];
      const spans = object.members.map(({ keySpan, value }) => ({ start: keySpan.start, end: value.end }));
      return [...cuts(spans, gone), ...added.map((each) => this.#insertion(object, gone, each))];
    });
  }

  #insertion(object: RawObject, gone: readonly boolean[], { key, json, after }: Added): Edit {
    const kept = object.members.filter((_, index) => !gone[index]);
    const end = (kept.find((each) => each.key === after) ?? kept.at(-1))?.value.end ?? object.end;
    const { indent, colon } = this.#layoutOf(object);
    return { start: end, end, text: `,${indent}${quote(key)}${colon}${json}` };
  }

  /** Replaces all members of an object by the added ones. */
  #refill(object: RawObject, added: readonly Added[]): Edit {
    const { indent, colon, end } = this.#layoutOf(object);
    const members = added.map(({ key, json }) => `${indent}${quote(key)}${colon}${json}`);
    return { start: object.start, end: object.end, text: `{${members.join(',')}${end}}` };
  }

  /** The text before the first key, between it and its value, and before the closing brace. */
  #layoutOf({ start, end, members: [first, ...rest] }: RawObject) {
    if (!first) return { indent: '', colon: ':', end: '' };
    const { text } = this.#document;
    return {
      indent: text.slice(start + 1, first.keySpan.start),
      colon: text.slice(first.keySpan.end, first.value.start),
      end: text.slice((rest.at(-1) ?? first).value.end, end - 1),
    };
  }
}

/** Removes parts of a list, each with one adjacent comma. */
function cuts(spans: readonly TextSpan[], gone: readonly boolean[]): Edit[] {
  const lastKept = gone.lastIndexOf(false);
  const edits = spans.flatMap((span, index): Edit[] => {
    const next = spans[index + 1];
    return gone[index] && index < lastKept && next ? [{ start: span.start, end: next.start, text: '' }] : [];
  });
  const [tail, last] = [spans[lastKept + 1], spans.at(-1)];
  if (tail && last) edits.push({ start: spans[lastKept]?.end ?? tail.start, end: last.end, text: '' });
  return edits;
}
