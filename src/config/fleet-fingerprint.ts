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

function decisive(values: Values): Record<string, string> {
  return {
    REGSHIFT_UPSTREAM: values.REGSHIFT_UPSTREAM?.map(({ href }) => href).join(', ') ?? 'the sample registry',
    REGSHIFT_FORMAT: values.REGSHIFT_FORMAT,
    REGSHIFT_PLATFORM: formatPlatform(values.REGSHIFT_PLATFORM),
    REGSHIFT_LISTS: values.REGSHIFT_LISTS,
    REGSHIFT_CONVERT_BY_DIGEST: values.REGSHIFT_CONVERT_BY_DIGEST,
    REGSHIFT_UNSIGNED_SCHEMA1: values.REGSHIFT_UNSIGNED_SCHEMA1,
    // Replicas of earlier versions have none of these.
    ...(values.REGSHIFT_MIRROR_MISS === 'stop' ? {} : { REGSHIFT_MIRROR_MISS: values.REGSHIFT_MIRROR_MISS }),
    ...(values.REGSHIFT_INDEX === 'keep' ? {} : { REGSHIFT_INDEX: values.REGSHIFT_INDEX }),
    ...(values.REGSHIFT_ATTESTATIONS === 'keep'
      ? {}
      : { REGSHIFT_ATTESTATIONS: values.REGSHIFT_ATTESTATIONS }),
    ...(values.REGSHIFT_LAYERS === 'auto' ? {} : { REGSHIFT_LAYERS: values.REGSHIFT_LAYERS }),
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
