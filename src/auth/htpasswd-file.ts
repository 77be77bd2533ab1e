/** One user of an htpasswd file. */
export interface HtpasswdEntry {
  readonly username: string;
  /** bcrypt, like `$2y$10$…`. */
  readonly hash: string;
}

/** A line that is not a valid entry. */
export interface HtpasswdProblem {
  /** Counted from 1. */
  readonly line: number;
  /** The problem as a predicate: `is not user:hash`. It quotes nothing of the line. */
  readonly message: string;
}

/**
 * The highest accepted cost. Each step doubles the work; 14 takes a second or two in JavaScript, which each login
 * waits for.
 */
const greatestCost = 14;

/**
 * Parses `user:hash` lines as `htpasswd -B` writes them. Only bcrypt is accepted: it is the only scheme of htpasswd
 * that slows down guessing, and docker-registry accepts no other either. Empty lines and lines that begin with # are
 * skipped.
 */
export function parseHtpasswd(text: string): {
  readonly entries: ReadonlyMap<string, HtpasswdEntry>;
  readonly problems: readonly HtpasswdProblem[];
} {
  const entries = new Map<string, HtpasswdEntry>();
  const problems: HtpasswdProblem[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const read = parseLine(line);
    const entry =
      typeof read === 'string' || !entries.has(read.username) ? read : 'names a user a second time';
    if (typeof entry === 'string') problems.push({ line: index + 1, message: entry });
    else entries.set(entry.username, entry);
  }
  return { entries, problems };
}

/** @returns the entry, or the problem in words. */
function parseLine(line: string): HtpasswdEntry | string {
  const colon = line.indexOf(':');
  if (colon < 1) return 'is not user:hash';
  const hash = line.slice(colon + 1);
  const cost = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1];
  if (cost === undefined) return 'is not a bcrypt entry (make it by htpasswd -B)';
  if (Number(cost) < 4 || Number(cost) > greatestCost) {
    return `has a bcrypt cost of ${Number(cost)}, and 4 to ${greatestCost} are taken`;
  }
  return { username: line.slice(0, colon), hash };
}
