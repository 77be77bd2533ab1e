export interface HtpasswdEntry {
  readonly username: string;
  /** bcrypt, like `$2y$10$…`. */
  readonly hash: string;
}

export interface HtpasswdProblem {
  /** From 1. */
  readonly line: number;
  /** What is wrong with it, without a word of what it says. */
  readonly message: string;
}

/** bcrypt doubles its work with each step: 14 takes a second or two in JavaScript, and every login waits for it. */
const greatestCost = 14;

/**
 * Reads `user:hash` lines as `htpasswd -B` writes them. Only bcrypt: it is the one scheme of htpasswd that slows
 * down guessing, and docker-registry takes no other either. Empty lines and lines with # are left out.
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

/** @returns what is wrong, in words, when it is no entry. */
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
