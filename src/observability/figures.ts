/** One number of the metrics, with its labels, like `regshift_conversions_total` with `from` and `to`. */
export interface Figure {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The figures of one metric, added up by the values of a label, the largest one first. */
export function sumsBy(
  figures: readonly Figure[],
  metric: string,
  label: string,
): readonly (readonly [value: string, sum: number])[] {
  const sums = new Map<string, number>();
  for (const { name, labels, value } of figures) {
    if (name !== metric) continue;
    const key = labels[label] ?? '';
    sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return [...sums].sort(([, one], [, other]) => other - one);
}
