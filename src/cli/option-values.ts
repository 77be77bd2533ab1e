import { InvalidArgumentError } from '@commander-js/extra-typings';
import { type Platform, parsePlatform } from '../../converters/platform.ts';

/** `linux/arm/v7`, on the command line. */
export function readPlatformOption(text: string): Platform {
  const platform = parsePlatform(text);
  if (platform) return platform;
  throw new InvalidArgumentError('It must be os/architecture or os/architecture/variant, like linux/arm/v7.');
}

export function readUrlOption(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash) return url;
  throw new InvalidArgumentError('It must begin with http:// or https://, and hold no login and no query.');
}

export function readSecondsOption(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new InvalidArgumentError('It must be a number of seconds.');
}
