import { program, textOf } from '../house/sources.ts';
import { readTexts } from './source-texts.ts';

/** A message in the sources of the program. */
export interface Message {
  /** A path below the root. */
  readonly file: string;
  /** `…` stands for text that varies. */
  readonly text: string;
}

/** The verbs of a message about a setting: the name of the setting stands before it. */
const aboutSetting = /^(?:must|is|are|has|cannot|leads|names|holds|needs) /;

/** The places of messages in code whose texts are numbers. The group has the numbers. */
const places = [
  /UsageError\(([^;]*?)\);/g,
  /RegistryError\(\s*(?:‹\d+›|[\w.]+),\s*(‹\d+›)/g,
  /ConversionError\(\{[^;]*?\bmessage:\s*(‹\d+›)/g,
  /\bproblem: (‹\d+›)/g,
  /\bmessage(?: =|:)\s*([^;,]*)/g,
  /\b(?:corruptLayer|badResponseError)\(([^;]*?)\);/g,
  /\brefuseField\([^,;]*,\s*(‹\d+›)/g,
  /\binexpressible\(\s*(‹\d+›)/g,
];

/** A line of the log that an operator should know. */
const logLine = /\blog\(\s*‹(\d+)›,\s*‹(\d+)›/g;

/**
 * The messages of the program for people: of the settings' readers, of the command line, of errors, and the lines of the
 * log at `warn` and `error`.
 */
export function messagesOfProgram(): readonly Message[] {
  return program.flatMap((file) => {
    const source = textOf(file);
    const texts = messagesOf(source, file.startsWith('src/config/') || source.includes('SettingProblem'));
    return texts.map((text) => ({ file, text }));
  });
}

/** The messages of one source. @param readsSettings the source writes messages about settings. */
export function messagesOf(source: string, readsSettings: boolean): string[] {
  const { code, literals } = readTexts(source);
  const numbers = (text: string) => [...text.matchAll(/‹(\d+)›/g)].map(([, at]) => Number(at));
  const textAt = (at: number) => literals[at] ?? '';
  const placed = places.flatMap((place) =>
    [...code.matchAll(place)].flatMap(([, group = '']) => numbers(group)),
  );
  const logged = [...code.matchAll(logLine)]
    .filter(([, level]) => ['warn', 'error'].includes(textAt(Number(level))))
    .map(([, , at]) => Number(at));
  const settings = numbers(code).filter((at) => (readsSettings ? aboutSetting : /^must /).test(textAt(at)));
  return [...new Set([...placed, ...logged, ...settings].map(textAt))].filter((text) => isSentence(text));
}

/** A message without its variable parts has a few words, unlike an option or a name. */
function isSentence(text: string): boolean {
  return text.includes(' ') && fixedParts(text).join('').length >= 8;
}

/** The parts of a message that do not vary, without the punctuation at their ends. */
export function fixedParts(text: string): string[] {
  return text
    .split('…')
    .map((part) => part.replace(/^[\s.:,;]+|[\s.:,;]+$/g, ''))
    .filter((part) => part.length > 2);
}

/** The shortest row that stands for a longer message, in letters of its fixed parts. */
const shortestRow = 12;

/** Whether a row of docs/errors.md has a message: one of the two has all fixed parts of the other one, in order. */
export function isCovered(message: string, rows: readonly string[]): boolean {
  const parts = fixedParts(message);
  return rows.some((row) => {
    const own = fixedParts(row);
    const isLong = own.join('').length >= shortestRow;
    return hasInOrder(row, parts) || (isLong && hasInOrder(message, own));
  });
}

function hasInOrder(text: string, parts: readonly string[]): boolean {
  let at = 0;
  return parts.every((part) => {
    const found = text.indexOf(part, at);
    at = found + part.length;
    return found !== -1;
  });
}
