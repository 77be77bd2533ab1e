import type { Values } from '../config/settings.ts';

/** Text with the registries of a route in the order of use; undefined for the sample registry. */
export function registriesOf({ REGSHIFT_UPSTREAM: upstreams }: Values): string | undefined {
  return upstreams?.map(({ href }) => href).join(', then ');
}
