import type { Facts } from './log.ts';

/**
 * A line of the log for a person: `18:39:37 info  request GET /v2/team/app/manifests/1.0 200 in 12 ms …`.
 * @param line as JSON. What is none is given back as it is.
 */
export function asText(line: string): string {
  const record = recordIn(line);
  if (record === undefined) return line;
  const { time, level, message, ...facts } = record;
  const head = `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${plain(message)}`;
  const told = message === 'request' ? ofRequest(facts) : rest(facts);
  return told === '' ? head : `${head} ${told}`;
}

function recordIn(line: string): Facts | undefined {
  try {
    return JSON.parse(line) as Facts;
  } catch {
    return undefined;
  }
}

function ofRequest({ method, path, status, milliseconds, client, conversion, ...others }: Facts): string {
  const what = conversion === undefined ? '' : ` (${plain(conversion)})`;
  const facts = rest(others);
  return `${plain(method)} ${plain(path)} ${plain(status)} in ${plain(milliseconds)} ms for ${plain(client)}${what} ${facts}`;
}

function rest(facts: Facts): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${shown(value)}`)
    .join(' ');
}

/** Names and headers are anyone's words: no terminal shall take them for commands, nor a line look like two. */
function plain(value: unknown): string {
  return String(value).replace(/\p{Cc}|[\u2028\u2029]/gu, '?');
}

function shown(value: unknown): string {
  const text = plain(typeof value === 'object' ? JSON.stringify(value) : value);
  return /[\s"=]/.test(text) && typeof value === 'string' ? JSON.stringify(text) : text;
}
