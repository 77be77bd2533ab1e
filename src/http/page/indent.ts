/** Tokens of JSON: strings with their escapes, brackets, separators, and other text. White space is left out. */
const tokens = /"(?:[^"\\]|\\[\s\S])*"|[[\]{},:]|[^\s[\]{},:"]+|"/g;

/**
 * Breaks JSON into indented lines, for people. Every token stays as it is written, unlike with `JSON.parse`, which
 * changes long numbers and loses repeated keys. A text that is no JSON comes out in some lines, too.
 */
export function indentedLines(text: string): string[] {
  const lines: string[] = [];
  let [line, depth, previous] = ['', 0, ''];
  const end = () => {
    lines.push(line);
    line = '  '.repeat(depth);
  };
  for (const [token] of text.matchAll(tokens)) {
    const opens = token === '{' || token === '[';
    const closes = token === '}' || token === ']';
    const isEmpty = closes && (previous === '{' || previous === '[');
    if (closes) depth = Math.max(0, depth - 1);
    if (closes && !isEmpty) end();
    else if (previous === ',' || ((previous === '{' || previous === '[') && !closes)) end();
    line += token === ':' ? ': ' : token;
    if (opens) depth += 1;
    previous = token;
  }
  if (line !== '') lines.push(line);
  return lines;
}
