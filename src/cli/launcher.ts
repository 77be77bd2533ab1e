import { basename } from 'node:path';
import { isNpmStart } from '../config/settings.ts';
import type { Io } from './terminal/io.ts';

type Environment = Io['env'];

/** Whether `npx regshift` started this process. npm gives the script to its children (@npmcli/run-script, set-path and package-envs). */
function isNpx({ npm_lifecycle_event: event, npm_lifecycle_script: script = '' }: Environment): boolean {
  return event === 'npx' && /^["']?regshift["']?(?:\s|$)/.test(script);
}

/** Whether npm runs this process for as long as npm lives: by `npx regshift`, or by `npm start` of a clone. */
export function isRunByNpm(env: Environment): boolean {
  return isNpx(env) || isNpmStart(env);
}

/**
 * The advice that leads from the samples to an own registry, in the form of the command that started this process.
 * @param program the path of the program, as it was typed: `/usr/local/bin/regshift` for an installed package.
 */
export function ownRegistryAdvice(env: Environment, program = process.argv[1] ?? ''): string {
  const registry = 'https://registry.example';
  if (isNpmStart(env)) return `REGSHIFT_UPSTREAM=${registry} npm start`;
  if (isNpx(env)) return `npx regshift serve --upstream ${registry}`;
  if (basename(program) === 'regshift') return `regshift serve --upstream ${registry}`;
  return `set REGSHIFT_UPSTREAM=${registry}`;
}

/** Milliseconds between two looks at the parent of this process. */
const lookMs = 1_000;

/**
 * Calls back once, when the parent of this process has ended. npm passes SIGTERM to its shell alone
 * (@npmcli/run-script, signal-manager.js), and a shell that does not replace itself by the program, like dash, ends without
 * passing the signal on.
 */
export function whenParentEnds(call: () => void, parent: () => number = () => process.ppid): void {
  const first = parent();
  const timer = setInterval(() => {
    if (parent() === first) return;
    clearInterval(timer);
    call();
  }, lookMs);
  timer.unref();
}
