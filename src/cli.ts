import { flushCompileCache } from 'node:module';
import { processIo } from './cli/terminal/io.ts';

const argv = process.argv.slice(2);
const io = processIo();
// `serve` skips the command-line parser, which is slow to load.
const serves = argv.length === 1 && argv[0] === 'serve';
process.exitCode = serves
  ? await (await import('./cli/commands/serve.ts')).runServe(io)
  : await (await import('./cli/main.ts')).run(argv, io);
// Written now: a process that is killed writes no compile cache.
flushCompileCache();
