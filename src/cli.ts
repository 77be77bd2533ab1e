#!/usr/bin/env node
import { enableCompileCache, flushCompileCache } from 'node:module';

// What is compiled once need not be compiled again, where there is a folder for it (NODE_COMPILE_CACHE, or that for
// temporary files): a start takes two thirds of the time then. So nothing else is loaded before this.
enableCompileCache();
const { processIo } = await import('./cli/terminal/io.ts');

const argv = process.argv.slice(2);
const io = processIo();
// The proxy starts without what reads command lines, which takes its time to load.
const serves = argv.length === 1 && argv[0] === 'serve';
process.exitCode = serves
  ? await (await import('./cli/commands/serve.ts')).runServe(io)
  : await (await import('./cli/main.ts')).run(argv, io);
// A proxy that is killed would leave nothing.
flushCompileCache();
