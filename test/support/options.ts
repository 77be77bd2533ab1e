import { type ParseArgsConfig, parseArgs } from 'node:util';

/** An option that a script cannot use. Its message is one line for the person who typed it. */
class WrongOptionError extends Error {
  override readonly name = 'WrongOptionError';
}

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<Known extends Options> = ReturnType<typeof parseArgs<{ options: Known }>>['values'];

/**
 * Reads the options of a script.
 * @throws WrongOptionError for an unknown option, a value that is missing or too much, and for other words.
 */
export function readOptions<const Known extends Options>(
  options: Known,
  args: readonly string[] = process.argv.slice(2),
): Values<Known> {
  // With `strict`, parseArgs refuses `--machines -5` in several lines of its own.
  const { values, tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional') throw new WrongOptionError(`There is no argument ${token.value}.`);
    if (token.kind !== 'option') continue;
    const known = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    const all = Object.keys(options).map((name) => `--${name}`);
    const list = all.length > 0 ? `there are ${all.join(', ')}` : 'there are none';
    if (known === undefined) throw new WrongOptionError(`There is no option ${token.rawName}; ${list}.`);
    if (known.type === 'string' && token.value === undefined) {
      throw new WrongOptionError(`${token.rawName} needs a value.`);
    }
    if (known.type === 'boolean' && token.value !== undefined) {
      throw new WrongOptionError(`${token.rawName} takes no value.`);
    }
  }
  return values as Values<Known>;
}

/** Reads a number of `least` or more from the text of an option. @throws WrongOptionError for other text. */
export function readNumber(name: string, text: string, least = 0): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value >= least) return value;
  throw new WrongOptionError(
    `--${name} must be a number of ${least} or more, and is ${JSON.stringify(text)}.`,
  );
}

/** Reads names with commas between them. @throws WrongOptionError for a name that is not one of the known ones. */
export function readNames(name: string, text: string, known: readonly string[]): string[] {
  const names = text.split(',');
  const unknown = names.filter((each) => !known.includes(each));
  if (unknown.length === 0) return names;
  throw new WrongOptionError(`--${name} has no ${unknown.join(', ')}; there are ${known.join(', ')}.`);
}

/** Returns what `read` returns, or prints the line about a wrong option and ends the process with 2. */
export function orEnd<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WrongOptionError)) throw error;
    console.error(error.message);
    return process.exit(2);
  }
}
