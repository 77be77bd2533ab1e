import type { RouteSettings } from '../config/route-settings.ts';
import type { NewestValues, RuntimePlatform } from './platform.ts';

/** The newest settings of a route; undefined if no setting can change. */
export function newestOf(
  { id, settings }: RouteSettings,
  { rotating }: RuntimePlatform,
): NewestValues | undefined {
  return rotating && (async (atOnce) => (await rotating.newest(id, atOnce)) ?? settings);
}
