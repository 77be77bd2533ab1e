import { type File, Instrumenter } from '@stryker-mutator/instrumenter';
import type { Random } from '../fuzz/random.ts';

/** A line of a source with the number of mutants that lie in it whole. Lines count from 1. */
export interface MutableLine {
  readonly file: string;
  readonly line: number;
  readonly mutants: number;
}

const silent = () => undefined;
const logger = {
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => false,
  isErrorEnabled: () => false,
  isFatalEnabled: () => false,
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  fatal: silent,
};

/**
 * The lines of sources that have mutants, in the order of the sources. A mutant of more than one line, such as a removed
 * body, is not counted: few of them survive.
 * @param excludedMutations names of Stryker's mutators that are not used.
 */
export async function mutableLines(
  sources: readonly { readonly name: string; readonly content: string }[],
  excludedMutations: readonly string[],
): Promise<MutableLine[]> {
  const options = { plugins: null, ignorers: [], excludedMutations: [...excludedMutations] };
  const files: File[] = sources.map((source) => ({ ...source, mutate: true }));
  const { mutants } = await new Instrumenter(logger).instrument(files, options);
  const lines = new Map<string, MutableLine>();
  for (const { fileName: file, location, status } of mutants) {
    if (status === 'Ignored' || location.start.line !== location.end.line) continue;
    // The instrumenter counts lines from 0.
    const line = location.start.line + 1;
    const before = lines.get(`${file}:${line}`)?.mutants ?? 0;
    lines.set(`${file}:${line}`, { file, line, mutants: before + 1 });
  }
  return [...lines.values()];
}

/**
 * Picks lines at random until they have enough mutants. The same numbers and lines give the same sample.
 * @param wanted the least number of mutants; all lines if they have fewer.
 */
export function sampleLines(lines: readonly MutableLine[], wanted: number, random: Random): MutableLine[] {
  const left = [...lines];
  const picked: MutableLine[] = [];
  for (let mutants = 0; mutants < wanted && left.length > 0; ) {
    const [line] = left.splice(random.below(left.length), 1);
    if (line === undefined) break;
    picked.push(line);
    mutants += line.mutants;
  }
  return picked;
}
