import { JSONParser } from '@streamparser/json';
import { limits } from '../../../converters/limits.ts';
import type { TakeTurn } from '../../../converters/ports.ts';
import { RegistryError } from '../../errors.ts';
import { chunksOf, contentLength, refuseEncoded } from '../body.ts';

/** A list of names that a registry sends, like its repositories. */
export interface NameList<Name> {
  /** The name of the list in messages, like `list of tags`. */
  readonly what: string;
  /** The member of the document that has the names. */
  readonly key: string;
  /** The most names that are read. */
  readonly most: number;
  /** Reads one name. @returns undefined for a name that is not valid; the list leaves it out. */
  readonly parse: (text: string) => Name | undefined;
}

/** Bytes that are parsed at once; short names take up to 15 ms. */
const pieceBytes = 32_768;

/** A byte of a short name takes as long as this many bytes of a document (`bytesPerTurn` of concurrency/work-turns.ts). */
const bytesPerByte = 4;

/** Values besides the names. Google's registries send a map of all manifests before the tags. */
const mostOthers = 200_000;

/**
 * Reads a list of names piece by piece: a list of 100,000 tags may have 13 MB. The pieces are read in turns of the
 * event loop, which all lists and documents of the process share.
 * @param deadlineMs milliseconds of waiting for upstream in all.
 * @returns the names of each piece. Leaving the loop cancels the response.
 * @throws RegistryError UPSTREAM_ANSWER where it is not JSON or breaks off, UPSTREAM_CONTENT where it is too long.
 */
export async function* namesIn<Name>(
  response: Response,
  { what, key, most, parse }: NameList<Name>,
  turn?: TakeTurn,
  deadlineMs?: number,
): AsyncGenerator<readonly Name[]> {
  await refuseEncoded(response, `the ${what}`);
  const size = createSizeCheck(what, most);
  const parser = new JSONParser({ paths: [`$.${key}.*`], keepStack: false });
  let names: Name[] = [];
  parser.onValue = ({ value }) => {
    size.addName();
    const name = typeof value === 'string' ? parse(value) : undefined;
    if (name !== undefined) names.push(name);
  };
  for await (const chunk of chunksOf(response, `the ${what}`, deadlineMs)) {
    for (let start = 0; start < chunk.length; start += pieceBytes) {
      const piece = chunk.subarray(start, start + pieceBytes);
      await turn?.(piece.length * bytesPerByte);
      size.add(piece);
      write(parser, piece, what);
      if (names.length > 0) yield names;
      names = [];
    }
  }
  size.end(contentLength(response));
  if (!parser.isEnded) throw notJson(what);
}

function write(parser: JSONParser, piece: Uint8Array, what: string): void {
  try {
    parser.write(piece);
  } catch (cause) {
    throw cause instanceof RegistryError ? cause : notJson(what, cause);
  }
}

function notJson(what: string, cause?: unknown): RegistryError {
  return new RegistryError('UPSTREAM_ANSWER', `Upstream's ${what} is not JSON.`, { cause });
}

/** The characters of JSON that begin another value: a comma, a bracket and a brace. */
const [comma, bracket, brace, bracketEnd, braceEnd] = [0x2c, 0x5b, 0x7b, 0x5d, 0x7d];

/**
 * Counts before parsing, which takes 250 bytes of memory for each open bracket. A bracket in a string counts, too: names
 * have none.
 */
function createSizeCheck(what: string, most: number) {
  let [bytes, names, values, depth, bytesOfNames] = [0, 0, 0, 0, 0];
  const check = (isTooMuch: boolean, found: string) => {
    if (isTooMuch) throw new RegistryError('UPSTREAM_CONTENT', `Upstream sent a ${what} with ${found}.`);
  };
  return {
    addName(): void {
      names += 1;
      bytesOfNames = bytes;
      check(names > most, `more than ${most} names`);
    },
    add(piece: Uint8Array): void {
      // The loop over an index is ten times as fast as the iterator of the array.
      for (let at = 0; at < piece.length; at += 1) {
        const byte = piece[at];
        if (byte === comma) values += 1;
        else if (byte === bracket || byte === brace) {
          values += 1;
          depth += 1;
        } else if (byte === bracketEnd || byte === braceEnd) depth -= 1;
        if (depth > limits.jsonDepth) check(true, `more than ${limits.jsonDepth} levels`);
      }
      bytes += piece.length;
      check(values - names > mostOthers, `more than ${mostOthers} other values`);
      const others = bytes - bytesOfNames;
      check(others > limits.documentBytes, `more than ${limits.documentBytes} bytes without a name`);
    },
    end(announced: number | undefined): void {
      if (announced === undefined || announced === bytes) return;
      throw new RegistryError(
        'UPSTREAM_ANSWER',
        `Upstream sent ${bytes} bytes of the ${what} and had announced ${announced}. Try again.`,
      );
    },
  };
}
