import { program, sourcesBelow, textOf } from './sources.ts';

/** A comment that does not begin with a noun that the sentence is about. */
const clause = /^(?:What|Who|Whoever|Whatever|Whose|Nobody|No one)\b/;

/** Exported names of earlier versions, each with another one in the glossary of CONTRIBUTING.md. */
export const endedNames: ReadonlySet<string> = new Set([
  'Again',
  'Agreement',
  'Asker',
  'Asking',
  'Attendance',
  'Begun',
  'Caller',
  'Chooser',
  'Claims',
  'Decision',
  'Door',
  'Elsewhere',
  'Envelope',
  'Failure',
  'Generation',
  'GivenManifest',
  'HeldAnswer',
  'HeldAnswers',
  'HeldRight',
  'LayerDesk',
  'LayerLearner',
  'Learner',
  'LoginKeeper',
  'ManifestOutcome',
  'Meter',
  'Named',
  'Names',
  'Onward',
  'Place',
  'Product',
  'PullMeter',
  'Reads',
  'Repetition',
  'Replicas',
  'Resolved',
  'ServedTags',
  'Shown',
  'Site',
  'StoredForm',
  'Tally',
  'UnderWay',
  'UnpackLimits',
  'UnpackedLayer',
  'Visit',
  'Walk',
  'Way',
  'Workshop',
  'Writes',
  'cameFrom',
  'decide',
  'failureOf',
  'giveManifest',
  'handBack',
  'harmless',
  'outcomeFor',
  'passOn',
  'patiently',
  'speaksOfCaller',
  'whatIsRead',
]);

/** The files whose text is held to the rules: the program and its tests. */
const written = [
  ...program,
  // The test of this file has such comments in its strings.
  ...sourcesBelow('test').filter((file) => !/^test\/(?:golden\/|unit\/words\.test\.ts$)/.test(file)),
];

/** A comment with its place. */
interface Comment {
  readonly place: string;
  readonly text: string;
}

/** Comments of a file: a block, or lines of `//` below each other, count once. */
export function commentsIn(file: string, source: string): Comment[] {
  const found: Comment[] = [];
  const comment = /\/\*\*?([\s\S]*?)\*\/|(?:^|(?<=\s))\/\/(?![/]) ?(.*(?:\n[ \t]*\/\/.*)*)/gm;
  for (const match of source.matchAll(comment)) {
    const text = (match[1] ?? match[2] ?? '').replace(/^[\s*/]+/, '').replace(/\n[ \t]*(?:\*|\/\/) ?/g, ' ');
    const line = source.slice(0, match.index).split('\n').length;
    found.push({ place: `${file}:${line}`, text: text.trim() });
  }
  return found;
}

/** Comments, and sentences of tags like `@returns`, that begin with a clause instead of a noun. */
export function clauseComments(files: readonly string[] = written): Comment[] {
  return files
    .flatMap((file) => commentsIn(file, textOf(file)))
    .flatMap(({ place, text }) => {
      const parts = text.split(/@(?:returns|param(?: [\w.]+)?|throws)\s+/).map((part) => part.trim());
      return parts.filter((part) => clause.test(part)).map((part) => ({ place, text: part.slice(0, 80) }));
    });
}

const exported =
  /^export (?:declare )?(?:default )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type|enum) (\w+)/gm;

/** Exported names of the program, each with the files that export it. */
export function exportedNames(files: readonly string[] = program): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const file of files) {
    for (const [, name = ''] of textOf(file).matchAll(exported)) {
      const before = names.get(name) ?? [];
      if (!before.includes(file)) names.set(name, [...before, file]);
    }
  }
  return names;
}

/** Names that two files export: each must mean one thing in the whole program. */
export function repeatedNames(): string[] {
  return [...exportedNames()].flatMap(([name, files]) =>
    files.length > 1 ? [`${name}: ${files.join(', ')}`] : [],
  );
}

/** Exported names that the glossary has ended. */
export function namesThatEnded(): string[] {
  return [...exportedNames()].flatMap(([name, files]) =>
    endedNames.has(name) ? [`${name}: ${files.join(', ')}`] : [],
  );
}
