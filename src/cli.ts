import { flushCompileCache } from 'node:module';
import { processIo } from './cli/terminal/io.ts';
import { endProcess } from './runtime/node/end-process.ts';
import { saveMemory } from './runtime/node/save-memory.ts';
import { hasFileOperations } from './runtime/node/store/file-operations.ts';

// Time in which operations that hang may end after a command, in milliseconds.
const endsWithin = 1_000;

/** Runs the command of the process's arguments, and `serve` until it listens. */
async function runProgram(): Promise<void> {
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
  if (argv[0] === 'serve' && code === 0) return saveMemory();
  // Node waits for file operations (`endProcess`). One that hangs does not keep a command that is over.
  if (hasFileOperations()) setTimeout(() => endProcess(code, true), endsWithin).unref();
}

// This file has no `await` of its own: in the package, files that settings load import it, and would wait for its end.
void runProgram();
