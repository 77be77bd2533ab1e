import type { Exchange } from './call.ts';
import type { Difference } from './differences.ts';
import { errorRules } from './error-rules.ts';
import { listRules } from './list-rules.ts';
import { manifestRules } from './manifest-rules.ts';
import { pushRules } from './push-rules.ts';
import type { Rule } from './rule.ts';
import type { World } from './world.ts';

const rules: readonly Rule[] = [...errorRules, ...listRules, ...pushRules, ...manifestRules];

/** The differences that no rule explains. @param count is called with the name of each rule that was needed. */
export async function explained(
  exchange: Exchange,
  differences: readonly Difference[],
  world: World,
  count: (rule: string) => void,
): Promise<readonly Difference[]> {
  let left = differences;
  for (const rule of rules) {
    if (left.length === 0) break;
    const explains = await rule.explains(exchange, world);
    const rest = explains === 'all' ? [] : left.filter(({ of }) => !explains.includes(of));
    if (rest.length < left.length) count(rule.name);
    left = rest;
  }
  return left;
}
