/** The numbers of conversions that a replica made, one for each pair of forms, from the text of its `/metrics`. */
export function conversionsMade(metrics: string): number[] {
  const counted = metrics.matchAll(/^regshift_conversions_total\{[^}]*result="made"[^}]*\} (\d+)/gm);
  return [...counted].map(([, count]) => Number(count));
}
