import { formatProblems } from '../../src/config/problem.ts';
import type { ReadSettings } from '../../src/config/settings.ts';
import { checkSettings } from '../../src/runtime/node/check-settings.ts';

/** The settings as `regshift serve` checks them before it starts. @throws Error with their problems. */
export async function checkedSettings(read: ReadSettings) {
  const checked = await checkSettings(read, {});
  if ('problems' in checked) throw new Error(formatProblems(checked.problems));
  return checked;
}
