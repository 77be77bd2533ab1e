/** The parts of a text with commas or white space between them, without empty ones. */
export function listedParts(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '');
}
