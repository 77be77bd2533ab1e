import { convertersVersion } from '../../converters/conversion-graph.ts';
import { formatPlatform } from '../../converters/platform.ts';
import type { Settings, Values } from './settings.ts';

/** Settings that must be equal in all replicas that serve the same clients, by name. None is a secret. */
export type FleetFingerprint = Readonly<Record<string, string>>;

/**
 * Collects the settings that replicas must have in common. The signing key and the version of the converters determine
 * bytes; the other settings determine the form that a client gets for a tag.
 * @param keyId the libtrust id of the signing key.
 */
export function fleetFingerprint({ routes }: Settings, keyId: string): FleetFingerprint {
  const ofRoutes = routes.flatMap(({ id, settings }) => {
    const suffix = routes.length > 1 ? ` of ${id}` : '';
    return Object.entries(decisive(settings)).map(([name, value]) => [`${name}${suffix}`, value] as const);
  });
  return {
    REGSHIFT_SIGNING_KEY: keyId,
    'version of the converters': String(convertersVersion),
    ...Object.fromEntries(ofRoutes),
  };
}

/** Decisive settings that replicas of earlier versions do not have, with the values that change nothing. */
const usual = {
  REGSHIFT_MIRROR_MISS: 'stop',
  REGSHIFT_INDEX: 'keep',
  REGSHIFT_ATTESTATIONS: 'keep',
  REGSHIFT_LAYERS: 'auto',
} as const satisfies Partial<Values>;

function decisive(values: Values): Record<string, string> {
  return {
    REGSHIFT_UPSTREAM: values.REGSHIFT_UPSTREAM?.map(({ href }) => href).join(', ') ?? 'the sample registry',
    REGSHIFT_FORMAT: values.REGSHIFT_FORMAT,
    REGSHIFT_PLATFORM: formatPlatform(values.REGSHIFT_PLATFORM),
    REGSHIFT_LISTS: values.REGSHIFT_LISTS,
    REGSHIFT_CONVERT_BY_DIGEST: values.REGSHIFT_CONVERT_BY_DIGEST,
    REGSHIFT_UNSIGNED_SCHEMA1: values.REGSHIFT_UNSIGNED_SCHEMA1,
    ...Object.fromEntries(
      Object.entries(usual).flatMap(([name, value]) => {
        const own = values[name as keyof typeof usual];
        return own === value ? [] : [[name, own]];
      }),
    ),
    ...(values.REGSHIFT_CLIENTS.text === '' ? {} : { REGSHIFT_CLIENTS: values.REGSHIFT_CLIENTS.text }),
  };
}

/** The settings in which two replicas differ, each with both values. */
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
