import type { Document, isCollection, isPair, isScalar, visit, YAMLParseError } from 'yaml';
import { DocumentSyntaxError, type TextPlace } from '../../config/document-syntax.ts';

/** The functions of the parser's package, which is loaded late. */
interface Yaml {
  readonly visit: typeof visit;
  readonly isCollection: typeof isCollection;
  readonly isPair: typeof isPair;
  readonly isScalar: typeof isScalar;
}

/** An error of the YAML parser in words for the operator. The parser's own message quotes the text, which may be secret. */
export function yamlError(
  text: string,
  document: Document,
  error: YAMLParseError,
  yaml: Yaml,
): DocumentSyntaxError {
  const [at] = error.linePos ?? [];
  const noticed = at && { line: at.line, column: at.col };
  const open = findUnclosed(text, document, yaml);
  if (open === undefined) {
    const code = error.code.toLowerCase().replaceAll('_', ' ');
    return new DocumentSyntaxError(`is wrong (${code})`, noticed);
  }
  const before = noticed ? ` before ${noticed.line}:${noticed.column}` : '';
  return new DocumentSyntaxError(`has a ${text[open]} that is not closed${before}`, placeOf(text, open));
}

const closing: Readonly<Record<string, string>> = { '{': '}', '[': ']', '"': '"', "'": "'" };

/** The offset of the innermost bracket or quote that is not closed. */
function findUnclosed(text: string, document: Document, yaml: Yaml): number | undefined {
  let found: number | undefined;
  yaml.visit(document, (_, node) => {
    if (!(yaml.isCollection(node) || yaml.isScalar(node)) || !node.range) return;
    const [start, end] = node.range;
    const isFlow = yaml.isCollection(node) ? node.flow === true : node.type?.startsWith('QUOTE') === true;
    const close = closing[text[start] ?? ''];
    if (!isFlow || close === undefined) return;
    const isClosed = end - start > 1 && text[end - 1] === close && lastEnd(node, yaml) !== end;
    if (!isClosed) found = start;
  });
  return found;
}

/** The end of the last member: an outer bracket without its end seems to end with that of an inner one. */
function lastEnd(node: unknown, yaml: Yaml): number | undefined {
  const last: unknown = yaml.isCollection(node) ? node.items.at(-1) : undefined;
  const member = yaml.isPair(last) ? (last.value ?? last.key) : last;
  return yaml.isCollection(member) || yaml.isScalar(member) ? member.range?.[1] : undefined;
}

function placeOf(text: string, offset: number): TextPlace {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
