/** A time as Go's `time.Time` writes it to JSON: RFC 3339, no trailing zeros in the fraction, `Z` for UTC. */
export type GoTime = string & { readonly __brand: 'GoTime' };

/** Go's zero time. docker-registry writes it for an absent `created`. */
export const zeroTime = '0001-01-01T00:00:00Z' as GoTime;

/** Times as builders write them, on a day that each month has: they stay as they are. */
const usual =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{0,8}[1-9])?Z$/;

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Reads a time as Go's `time.Time.UnmarshalJSON` does, and writes it as `MarshalJSON` does. Digits beyond nanoseconds
 * are cut, `+00:00` becomes `Z`, and other offsets stay.
 * @returns `undefined` for text that Go refuses, such as a space instead of the T, lower case, or 30 February.
 */
export function goTime(text: string): GoTime | undefined {
  if (usual.test(text)) return text as GoTime;
  const match = rfc3339.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = ''] = match;
  if (!dateExists(Number(year), Number(month), Number(day))) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (!offsetExists(zone)) return undefined;
  const nanoseconds = fraction.slice(0, 9).replace(/0+$/, '');
  const zoneText = zone === '+00:00' || zone === '-00:00' ? 'Z' : zone;
  const fractionText = nanoseconds === '' ? '' : `.${nanoseconds}`;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${fractionText}${zoneText}` as GoTime;
}

function dateExists(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day <= days;
}

function offsetExists(zone: string): boolean {
  if (zone === 'Z') return true;
  return Number(zone.slice(1, 3)) <= 24 && Number(zone.slice(4, 6)) <= 60;
}

/** The time in UTC without a fraction, as the `time` of a signature needs it. */
export function wholeSeconds(time: GoTime): string {
  const match = rfc3339.exec(time);
  const zone = match?.[8] ?? 'Z';
  const base = time.slice(0, 19);
  if (zone === 'Z') return `${base}Z`;
  const sign = zone.startsWith('-') ? 1 : -1;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  // The parser of Date reads years below 100 as they are; Date.UTC would read them as 19xx.
  const moved = new Date(new Date(`${base}Z`).getTime() + sign * minutes * 60_000);
  const year = moved.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) return wholeSeconds(zeroTime);
  return `${moved.toISOString().slice(0, 19)}Z`;
}
