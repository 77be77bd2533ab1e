import { flushCompileCache } from 'node:module';
import { processIo } from './cli/terminal/io.ts';
import { endProcess } from './runtime/node/end-process.ts';
import { saveMemory } from './runtime/node/save-memory.ts';
import { hasFileOperations } from './runtime/node/store/file-operations.ts';

const argv = process.argv.slice(2);
const io = processIo();
// `serve` skips the command-line parser, which is slow to load.
const serves = argv.length === 1 && argv[0] === 'serve';
const code = serves
  ? await (await import('./cli/commands/serve.ts')).runServe(io)
  : await (await import('./cli/main.ts')).run(argv, io);
process.exitCode = code;
// Written now: a process that is killed writes no compile cache.
flushCompileCache();

// Node waits for file operations (`endProcess`). One that hangs does not keep a command that is over; others end in this
// time, in milliseconds.
const endsWithin = 1_000;
const isServing = argv[0] === 'serve' && code === 0;
if (isServing) saveMemory();
if (!isServing && hasFileOperations()) setTimeout(() => endProcess(code, true), endsWithin).unref();
