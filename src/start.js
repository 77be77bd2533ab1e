// Starts the program from its sources. This file is plain JavaScript, so that the compile cache is on before Node loads
// the first TypeScript file. Node's type stripper takes 27 MiB that are never freed; Node does not load it if the
// stripped sources are in the cache.
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('./cli.ts');
