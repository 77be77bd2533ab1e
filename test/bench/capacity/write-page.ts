/** Writes docs/capacity.md: `npm run capacity:docs`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readResults } from './costs.ts';
import { capacityPage } from './page.ts';

writeFileSync(join(import.meta.dirname, '../../../docs/capacity.md'), capacityPage(readResults()));
