import { limits } from '../../../converters/limits.ts';
import type { TakeTurn } from '../../../converters/ports.ts';
import { RegistryError } from '../../errors.ts';
import { readBounded } from '../body.ts';

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

/** Names that are read at once; a name takes less than a microsecond. */
const namesAtOnce = 20_000;

/** Bytes of a JSON document that take as long as a name. */
const bytesPerName = 7;

/** The characters that begin another value in JSON: a comma, a bracket and a brace. */
const [comma, bracket, brace] = [0x2c, 0x5b, 0x7b];
/** The object of the list, and the list itself. */
const outerValues = 2;

/**
 * Reads a list of names. The names of a long list are read in several turns of the event loop, which all lists and
 * documents of the process share.
 * @throws RegistryError UPSTREAM_ANSWER where it is not JSON, UPSTREAM_CONTENT where it is too long; as `readBounded`.
 */
export async function readNames<Name>(
  response: Response,
  { what, key, most, parse }: NameList<Name>,
  turn?: TakeTurn,
  deadlineMs?: number,
): Promise<Name[]> {
  const bytes = await readBounded(response, limits.documentBytes, `the ${what}`, deadlineMs);
  await turn?.(bytes.length);
  // JSON.parse cannot pause, and a million short names take it as long as all other names that are read.
  if (countOfValues(bytes) > most + outerValues) {
    throw new RegistryError('UPSTREAM_CONTENT', `Upstream sent a ${what} with more than ${most} names.`);
  }
  await turn?.(bytes.length);
  const listed = namesIn(bytes, what, key);
  const names: Name[] = [];
  for (let start = 0; start < listed.length; start += namesAtOnce) {
    const some = listed.slice(start, start + namesAtOnce);
    await turn?.(some.length * bytesPerName);
    for (const text of some) {
      const name = typeof text === 'string' ? parse(text) : undefined;
      if (name !== undefined) names.push(name);
    }
  }
  return names;
}

/** The loop over an index is ten times as fast as the iterator of the array. */
function countOfValues(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === comma || byte === bracket || byte === brace) count += 1;
  }
  return count;
}

function namesIn(bytes: Uint8Array, what: string, key: string): readonly unknown[] {
  try {
    const { [key]: names } = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    // A repository without tags has null here (docker-registry 2.8.2).
    return Array.isArray(names) ? names : [];
  } catch (cause) {
    throw new RegistryError('UPSTREAM_ANSWER', `Upstream's ${what} is not JSON.`, {
      cause,
    });
  }
}
