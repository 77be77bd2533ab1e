import { corpusOf } from './corpus.ts';
import type { TextTarget } from './text-target.ts';
import { layerTargets } from './texts-of-layers.ts';
import { pageTargets } from './texts-of-pages.ts';
import { registryTargets } from './texts-of-registries.ts';
import { headerTargets } from './texts-of-requests.ts';
import { settingTargets } from './texts-of-settings.ts';
import { storeTargets } from './texts-of-stores.ts';

const targets: Readonly<Record<string, TextTarget>> = {
  ...headerTargets,
  ...settingTargets,
  ...pageTargets,
  ...storeTargets,
  ...registryTargets,
  ...layerTargets,
};

/** All readers of texts. Their seeds include the corpus: earlier texts that took a new way. */
export const textTargets: Readonly<Record<string, TextTarget>> = Object.fromEntries(
  Object.entries(targets).map(([name, target]) => [
    name,
    { ...target, seeds: [...target.seeds, ...corpusOf(name)] },
  ]),
);
