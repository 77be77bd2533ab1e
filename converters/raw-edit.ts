import type { RawArray, RawDocument, RawObject } from './raw-json.ts';
import { member } from './raw-json.ts';

interface Span {
  readonly start: number;
  readonly end: number;
}

interface Edit extends Span {
  readonly text: string;
}

/** Changes parts of a document and leaves every other character as it was. */
export class RawEdit {
  readonly #document: RawDocument;
  readonly #edits: Edit[] = [];

  constructor(document: RawDocument) {
    this.#document = document;
  }

  /** @param json the JSON text to stand where `span` stood. */
  replace(span: Span, json: string): void {
    if (this.#document.text.slice(span.start, span.end) !== json) {
      this.#edits.push({ start: span.start, end: span.end, text: json });
    }
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

  /** Sets a member's value, or adds it behind the member `after`, in the layout that the object has. */
  set(object: RawObject, key: string, json: string, after: string): void {
    const present = member(object, key);
    const anchor = object.members.find((each) => each.key === after) ?? object.members.at(-1);
    if (present || !anchor) {
      this.replace(present ?? object, present ? json : `{${JSON.stringify(key)}:${json}}`);
      return;
    }
    const { text } = this.#document;
    const indent = text.slice(object.start + 1, object.members[0]?.keySpan.start);
    const separator = text.slice(anchor.keySpan.end, anchor.value.start);
    const end = anchor.value.end;
    this.#edits.push({ start: end, end, text: `,${indent}${JSON.stringify(key)}${separator}${json}` });
  }

  /** The document's text with all changes made. Changes must not overlap, but may be given in any order. */
  apply(): string {
    const { text } = this.#document;
    const parts: string[] = [];
    let position = 0;
    // An insertion stands before a cut that begins at the same place.
    const ordered = this.#edits.toSorted((left, right) => left.start - right.start || left.end - right.end);
    for (const edit of ordered) {
      if (edit.start < position) throw new RangeError('overlapping edits of a JSON document');
      parts.push(text.slice(position, edit.start), edit.text);
      position = edit.end;
    }
    parts.push(text.slice(position));
    return parts.join('');
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
