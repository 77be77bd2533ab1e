import type { Plugin } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';

/** A node of the syntax tree, as far as it is read here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}

/**
 * Marks the values that a file computes when it is loaded, so that bundlers leave out those that a program does not use.
 * esbuild keeps a table that reads a member of another table, because the member can be a getter. Each export of the
 * converters would then bring the tables of all, and the functions in them.
 * @param files the names of the files, without `.js`, in which the computation of a value has no other effect.
 */
export function removableValues(files: readonly string[]): Plugin {
  return {
    name: 'removable values',
    renderChunk: (code, { name }) => (files.includes(name) ? withMarks(code) : null),
  };
}

/** Writes each computed value of the top level as a call of a function without side effects. */
export function withMarks(code: string): string {
  const statements = (parseAst(code) as unknown as { readonly body: readonly Node[] }).body;
  const values = statements
    .filter(({ type }) => type === 'VariableDeclaration')
    .flatMap(({ declarations }) => declarations as readonly Node[])
    .flatMap(({ init }) => (isComputed(init) ? [init] : []));
  return values.reduceRight(
    (text, { start, end }) =>
      `${text.slice(0, start)}/* @__PURE__ */ (() => (${text.slice(start, end)}))()${text.slice(end)}`,
    code,
  );
}

const computing = [
  ...['CallExpression', 'NewExpression', 'MemberExpression', 'SpreadElement'],
  ...['TemplateLiteral', 'BinaryExpression'],
];

/** Whether code runs for a value. A function, and what is in it, runs later. */
function isComputed(value: unknown): value is Node {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(isComputed);
  const { type } = value as Node;
  if (type === 'FunctionExpression' || type === 'ArrowFunctionExpression' || type === 'ClassExpression')
    return false;
  return computing.includes(type) || Object.values(value).some(isComputed);
}
