import type { Values } from '../config/settings.ts';

/** The registries of a route, in the order in which they are asked; undefined where that is the sample registry. */
export function registriesOf({ REGSHIFT_UPSTREAM: upstreams }: Values): string | undefined {
  return upstreams?.map(({ href }) => href).join(', then ');
}
