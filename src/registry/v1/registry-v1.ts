import type { V1Session } from '../../client-state/v1-session.ts';
import type { Log } from '../../observability/log.ts';
import type { Registry } from '../registry.ts';
import type { V1Services } from './v1-services.ts';

/** The services that requests of API v1 are answered from. */
export interface RegistryV1 extends V1Services, RegistryV1Options {}

export interface RegistryV1Options {
  readonly registry: Registry;
  readonly session: V1Session;
  readonly log: Log;
}

export function createRegistryV1({ registry, session, log }: RegistryV1Options): RegistryV1 {
  return { ...registry.v1, registry, session, log };
}
