/** A place in the file with settings, from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** An error in the syntax of the file with settings. It quotes nothing of the text, which may be secret. */
export class DocumentSyntaxError extends Error {
  override readonly name = 'DocumentSyntaxError';

  /** undefined: not known. */
  readonly place: TextPlace | undefined;

  /** @param fault the end of a sentence about the place: `is wrong (bad indent)`. */
  constructor(fault: string, place: TextPlace | undefined) {
    super(fault);
    this.place = place;
  }
}
