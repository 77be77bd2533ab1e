// Starts the program from its sources. This file is plain JavaScript, so that the compile cache is on before Node loads
// the first TypeScript file. Node's type stripper takes 27 MiB that are never freed; Node does not load it if the
// stripped sources are in the cache.
import { enableOwnCompileCache } from './compile-cache.js';

enableOwnCompileCache();
await import('./cli.ts');
