import {
  member,
  type RawArray,
  type RawDocument,
  type RawObject,
  type Span,
  stringValue,
} from './raw-json.ts';
import { quote } from './raw-text.ts';

interface Edit extends Span {
  readonly text: string;
}

/**
 * Changes parts of a document and leaves every other character as it was. Edits must not overlap: a member that is
 * removed is not set as well.
 */
export class RawEdit {
  readonly #document: RawDocument;
  readonly #edits: Edit[] = [];

  constructor(document: RawDocument) {
    this.#document = document;
  }

  /** Removes members with their commas. @param gone true for a key that goes. */
  removeMembers(object: RawObject, gone: (key: string) => boolean): void {
    const spans = object.members.map(({ keySpan, value }) => ({ start: keySpan.start, end: value.end }));
    this.#remove(
      spans,
      object.members.map(({ key }) => gone(key)),
    );
  }

  /** Removes items with their commas. */
  removeItems(array: RawArray, gone: (index: number) => boolean): void {
    this.#remove(
      array.items,
      array.items.map((_, index) => gone(index)),
    );
  }

  /** Sets a string unless it is there already, however it is escaped. @param after see `set`. */
  setString(object: RawObject, key: string, value: string, after: string): void {
    const present = member(object, key);
    if (present?.kind === 'string' && stringValue(this.#document, present) === value) return;
    this.set(object, key, quote(value), after);
  }

  /**
   * Sets a member's value, or adds it in the layout that the object has.
   * @param json the value as JSON text.
   * @param after the member behind which it is added; the last one where there is none of this name.
   */
  set(object: RawObject, key: string, json: string, after: string): void {
    const present = member(object, key);
    if (present) {
      this.#replace(present, json);
      return;
    }
    const anchor = object.members.find((each) => each.key === after) ?? object.members.at(-1);
    if (!anchor) {
      this.#replace(object, `{${quote(key)}:${json}}`);
      return;
    }
    const { text } = this.#document;
    const indent = text.slice(object.start + 1, object.members[0]?.keySpan.start);
    const separator = text.slice(anchor.keySpan.end, anchor.value.start);
    const { end } = anchor.value;
    this.#edits.push({ start: end, end, text: `,${indent}${quote(key)}${separator}${json}` });
  }

  /** The document's text with all changes made. */
  apply(): string {
    const { text } = this.#document;
    const parts: string[] = [];
    let position = 0;
    // An insertion stands before a cut that begins at the same place.
    const ordered = this.#edits.toSorted((left, right) => left.start - right.start || left.end - right.end);
    for (const edit of ordered) {
      parts.push(text.slice(position, edit.start), edit.text);
      position = edit.end;
    }
    parts.push(text.slice(position));
    return parts.join('');
  }

  #replace(span: Span, json: string): void {
    this.#edits.push({ start: span.start, end: span.end, text: json });
  }

  #remove(spans: readonly Span[], gone: readonly boolean[]): void {
    const lastKept = gone.lastIndexOf(false);
    spans.forEach((span, index) => {
      const next = spans[index + 1];
      if (gone[index] && index < lastKept && next) this.#cut(span.start, next.start);
    });
    const tail = spans[lastKept + 1];
    const last = spans.at(-1);
    if (tail && last) this.#cut(spans[lastKept]?.end ?? tail.start, last.end);
  }

  #cut(start: number, end: number): void {
    this.#edits.push({ start, end, text: '' });
  }
}
