import type { Facts, Level } from './log.ts';

/** Adds a colour to the name of a level, for a terminal. */
export type PaintLevel = (level: Level, text: string) => string;

/**
 * Formats a line of the log for a person: `18:39:37 info  request GET /v2/team/app/manifests/1.0 200 in 12 ms …`.
 * @param line one JSON object. Other text is returned unchanged.
 */
export function asText(line: string, paint: PaintLevel = (_, text) => text): string {
  const record = recordIn(line);
  if (record === undefined) return line;
  const { time, level, message, ...facts } = record;
  const shownLevel = paint(level as Level, String(level).padEnd(5));
  const head = `${String(time).slice(11, 19)} ${shownLevel} ${plain(message)}`;
  const text = message === 'request' ? requestText(facts) : factsText(facts);
  return text === '' ? head : `${head} ${text}`;
}

function recordIn(line: string): Facts | undefined {
  try {
    return JSON.parse(line) as Facts;
  } catch {
    return undefined;
  }
}

function requestText({ method, path, status, milliseconds, client, conversion, ...others }: Facts): string {
  const what = conversion === undefined ? '' : ` (${plain(conversion)})`;
  const facts = factsText(others);
  return `${plain(method)} ${plain(path)} ${plain(status)} in ${plain(milliseconds)} ms for ${plain(client)}${what} ${facts}`;
}

function factsText(facts: Facts): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join(' ');
}

/** Names and headers are untrusted, and may reach a terminal. */
function plain(value: unknown): string {
  return escapeControl(String(value));
}

/**
 * Replaces invisible characters by `?`: control and format characters, line and paragraph separators (Unicode
 * categories Cc, Cf, Zl and Zp). Text from a registry must not control the terminal, nor show in another order than it
 * has, as with U+202E.
 */
export function escapeControl(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}

function valueText(value: unknown): string {
  const text = plain(typeof value === 'object' ? JSON.stringify(value) : value);
  return /[\s"=]/.test(text) && typeof value === 'string' ? JSON.stringify(text) : text;
}
