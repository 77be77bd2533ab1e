import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The rules of a recipe, as the page has them. */
export type Rules = readonly Readonly<Record<string, unknown>>[];

/** The recipes of docs/clients.md: the lines of each, by its title. */
export async function recipes(): Promise<ReadonlyMap<string, Rules>> {
  const page = await readFile(join(import.meta.dirname, '../../../docs/clients.md'), 'utf8');
  const [, section = ''] = page.split('\n## Recipes\n');
  return new Map(section.split('\n### ').slice(1).map(readRecipe));
}

/** The rules of one recipe. @throws Error if the page does not have it. */
export async function rulesOf(title: string): Promise<Rules> {
  const rules = (await recipes()).get(title);
  if (rules === undefined) throw new Error(`docs/clients.md has no recipe ${title}`);
  return rules;
}

function readRecipe(text: string): readonly [title: string, rules: Rules] {
  const [title = ''] = text.split('\n', 1);
  const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, lines = '']) => lines);
  if (blocks.length !== 1) throw new Error(`the recipe ${title} has ${blocks.length} blocks of yaml`);
  const { clients }: { clients: Rules } = parse(blocks.join());
  return [title, clients];
}
