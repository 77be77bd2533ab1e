/** Text of a client in a message: quoted, and cut after so many characters. */
export function quoted(text: string, length: number): string {
  return JSON.stringify(text.slice(0, length));
}
