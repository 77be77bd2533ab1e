import { convertersVersion } from '../../converters/conversion-graph.ts';
import { formatPlatform } from '../../converters/platform.ts';
import type { Settings, Values } from './settings.ts';

/** What replicas that serve the same clients must have in common, by name. Holds no secret. */
export type FleetFingerprint = Readonly<Record<string, string>>;

/**
 * The signing key and the version of the converters decide about bytes; the rest, about which form a client is given
 * for a tag.
 * @param keyId the libtrust id of the signing key.
 */
export function fleetFingerprint({ routes }: Settings, keyId: string): FleetFingerprint {
  const ofRoutes = routes.flatMap(({ id, settings }) => {
    const whose = routes.length > 1 ? ` of ${id}` : '';
    return Object.entries(decisive(settings)).map(([name, value]) => [`${name}${whose}`, value] as const);
  });
  return {
    REGSHIFT_SIGNING_KEY: keyId,
    'version of the converters': String(convertersVersion),
    ...Object.fromEntries(ofRoutes),
  };
}

function decisive(values: Values): Record<string, string> {
  return {
    REGSHIFT_UPSTREAM: values.REGSHIFT_UPSTREAM?.map(({ href }) => href).join(', ') ?? 'the sample registry',
    REGSHIFT_FORMAT: values.REGSHIFT_FORMAT,
    REGSHIFT_PLATFORM: formatPlatform(values.REGSHIFT_PLATFORM),
    REGSHIFT_LISTS: values.REGSHIFT_LISTS,
    REGSHIFT_CONVERT_BY_DIGEST: values.REGSHIFT_CONVERT_BY_DIGEST,
    REGSHIFT_UNSIGNED_SCHEMA1: values.REGSHIFT_UNSIGNED_SCHEMA1,
  };
}

/** What two replicas differ in. */
export function differences(
  here: FleetFingerprint,
  there: FleetFingerprint,
): Record<string, { here: string; there: string }> {
  const names = new Set([...Object.keys(here), ...Object.keys(there)]);
  const differing = [...names].filter((name) => here[name] !== there[name]);
  const absent = '(not there)';
  return Object.fromEntries(
    differing.map((name) => [name, { here: here[name] ?? absent, there: there[name] ?? absent }]),
  );
}
