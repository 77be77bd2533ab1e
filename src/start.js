// The program from its sources. Plain JavaScript: what Node strips the types with takes 27 MiB for good, and is not
// loaded where the stripped sources lie in the compile cache, which has to be there before the first of them is.
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('./cli.ts');
