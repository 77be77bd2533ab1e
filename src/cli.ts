#!/usr/bin/env node
import { processIo } from './cli/io.ts';

const argv = process.argv.slice(2);
const io = processIo();
// The proxy starts without what reads command lines, which takes its time to load.
const serves = argv.length === 1 && argv[0] === 'serve';
process.exitCode = serves
  ? await (await import('./cli/serve.ts')).runServe(io)
  : await (await import('./cli/main.ts')).run(argv, io);
