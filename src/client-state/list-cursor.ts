import type { WallClock } from '../clock.ts';
import { RegistryError } from '../errors.ts';
import type { StateKeys } from './keys.ts';
import { openSealed, seal } from './sealed.ts';

/**
 * Seals the places at which lists of upstream continue after repositories that the proxy does not serve: a link to the
 * next page would name one of them.
 */
export interface ListCursors {
  /** @param query as upstream wrote it. @returns a query for the client. */
  seal(query: string): Promise<string>;
  /** @returns the query for upstream; other queries stay as they are. @throws RegistryError NAME_INVALID. */
  open(query: string): Promise<string>;
}

const parameter = 'after';

/** The length of a cursor would tell the length of a hidden name. A query has no spaces. */
const step = 256;

export function createListCursors(keys: () => Promise<StateKeys>, wallClock: WallClock): ListCursors {
  return {
    async seal(query) {
      const padded = query.padEnd(Math.ceil(query.length / step) * step);
      const sealed = await seal({ query: padded }, (await keys()).list, wallClock());
      return `?${new URLSearchParams({ [parameter]: sealed })}`;
    },
    async open(query) {
      const sealed = new URLSearchParams(query).get(parameter);
      if (sealed === null) return query;
      const state = await openSealed(sealed, (await keys()).list, wallClock());
      if (typeof state?.query === 'string') return state.query.trimEnd();
      throw new RegistryError(
        'NAME_INVALID',
        'This page of the list was not begun here, or too long ago. Read the list again from its first page.',
      );
    },
  };
}
