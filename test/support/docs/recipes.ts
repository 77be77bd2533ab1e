import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The rules of a recipe, as the page has them. */
export type Rules = readonly Readonly<Record<string, unknown>>[];

/** The lines of a recipe: settings of a file. */
export type RecipeSettings = Readonly<Record<string, unknown>> & { readonly clients?: Rules };

/** The recipes of docs/clients.md: the settings of each, by its title. */
export async function recipes(): Promise<ReadonlyMap<string, RecipeSettings>> {
  const page = await readFile(join(import.meta.dirname, '../../../docs/clients.md'), 'utf8');
  const [, section = ''] = page.split('\n## Recipes\n');
  return new Map(section.split('\n### ').slice(1).map(readRecipe));
}

/** The settings of one recipe. @throws Error if the page does not have it. */
export async function recipe(title: string): Promise<RecipeSettings> {
  const settings = (await recipes()).get(title);
  if (settings === undefined) throw new Error(`docs/clients.md has no recipe ${title}`);
  return settings;
}

/** The rules of one recipe. @throws Error if the page does not have them. */
export async function rulesOf(title: string): Promise<Rules> {
  const { clients } = await recipe(title);
  if (clients === undefined) throw new Error(`the recipe ${title} has no rules`);
  return clients;
}

function readRecipe(text: string): readonly [title: string, settings: RecipeSettings] {
  const [title = ''] = text.split('\n', 1);
  const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, lines = '']) => lines);
  if (blocks.length !== 1) throw new Error(`the recipe ${title} has ${blocks.length} blocks of yaml`);
  const settings: RecipeSettings = parse(blocks.join());
  return [title, settings];
}
