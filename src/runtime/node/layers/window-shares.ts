/**
 * Counts the memory of each owner. While others wait, an owner may hold a quarter of the memory, or one window of any
 * size. An address has a share, and each of its logins has one.
 */
export interface Shares {
  /** All levels; requests of the first level are served first. */
  readonly levels: readonly ShareLevel[];
  lent(): number;
  /** @param bytes below 0 for memory that is given back. */
  add(owner: readonly string[], bytes: number): void;
  levelOf(owner: readonly string[], bytes: number): ShareLevel;
  /**
   * True if a window is beyond the share of its owner while a request of this level waits.
   * @param asked windows that come back soon.
   */
  isExcess(part: Part, level: ShareLevel, asked: readonly Part[]): boolean;
}

interface Part {
  readonly owner: readonly string[];
  readonly bytes: number;
}

/** 0: within the shares of the address and of the login; 1: within that of the login only; 2: within neither. */
export type ShareLevel = 0 | 1 | 2;

export function createShares(total: number): Shares {
  const quarter = total / 4;
  const held = new Map<string, number>();
  let lent = 0;

  const heldBy = (name: string) => held.get(name) ?? 0;
  const fits = (name: string, bytes: number) => heldBy(name) === 0 || heldBy(name) + bytes <= quarter;

  function exceeds(name: string, bytes: number, asked: readonly Part[]): boolean {
    const comingBack = asked.filter(({ owner }) => namesOf(owner).includes(name));
    const left = comingBack.reduce((sum, part) => sum - part.bytes, heldBy(name));
    return left > Math.max(quarter, bytes);
  }

  return {
    levels: [0, 1, 2],
    lent: () => lent,
    add(owner, bytes) {
      lent += bytes;
      for (const name of new Set(namesOf(owner))) {
        const now = heldBy(name) + bytes;
        if (now === 0) held.delete(name);
        else held.set(name, now);
      }
    },
    levelOf(owner, bytes) {
      const { address, login } = partsOf(owner);
      if (!fits(login, bytes)) return 2;
      return fits(address, bytes) ? 0 : 1;
    },
    isExcess({ owner, bytes }, level, asked) {
      if (level === 2) return false;
      const { address, login } = partsOf(owner);
      return exceeds(login, bytes, asked) || (level === 0 && exceeds(address, bytes, asked));
    },
  };
}

function partsOf(owner: readonly string[]): { readonly address: string; readonly login: string } {
  return { address: JSON.stringify(owner.slice(0, 1)), login: JSON.stringify(owner) };
}

function namesOf(owner: readonly string[]): readonly string[] {
  const { address, login } = partsOf(owner);
  return [address, login];
}
