import { isMap, isScalar, type Pair, parseDocument } from 'yaml';

/** One value of a chart with its comment. */
export interface ChartValue {
  /** Like `image.tag`. */
  readonly path: string;
  readonly type: 'object' | 'list' | 'string' | 'int' | 'bool';
  readonly default: unknown;
  readonly description: string;
}

/**
 * Reads the values of a chart that have a comment with `# --`, in the order of the file. The comments have the form
 * that helm-docs reads.
 * @param text the text of a values.yaml.
 * @throws Error for a value that has no such comment and no parent or child with one.
 */
export function readChartValues(text: string): ChartValue[] {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('values.yaml has no values');
  return contents.items.flatMap((pair) => valuesOf(pair, ''));
}

function valuesOf(pair: Pair, above: string, comment = ''): ChartValue[] {
  const { key, value } = pair;
  if (!isScalar(key)) throw new Error(`${above} has a key that is no text`);
  const path = `${above}${String(key.value)}`;
  const description = /^ -- (.*)$/m.exec(key.commentBefore ?? comment)?.[1];
  if (description !== undefined) {
    const plain = isScalar(value) ? value.value : JSON.parse(JSON.stringify(value));
    return [{ path, type: typeOf(plain), default: plain, description }];
  }
  if (!isMap(value)) throw new Error(`${path} has no comment that begins with # --`);
  // The comment before the first key of a map is that of the map.
  const { items, commentBefore } = value;
  return items.flatMap((each, index) => valuesOf(each, `${path}.`, (index === 0 && commentBefore) || ''));
}

function typeOf(value: unknown): ChartValue['type'] {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'int';
  return typeof value === 'string' ? 'string' : 'object';
}

/** The table of values for the README of a chart. */
export function valuesTable(values: readonly ChartValue[]): string {
  const rows = values.map(({ path, type, default: value, description }) => {
    return `| \`${path}\` | ${type} | \`${JSON.stringify(value)}\` | ${description.replaceAll('|', '\\|')} |`;
  });
  return ['| value | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}
