import type { Obtained } from '../renewed.ts';
import { type AwsCredentials, roleCredentials } from './aws-credentials.ts';
import { accountOfMachine, type GoogleAccount } from './gcp.ts';
import type { CloudParts } from './login-server.ts';
import type { MachineIdentity } from './machine-identity.ts';

/** The accounts that clouds give to the machine that the program runs on. */
export interface MachineRoles {
  /** As `roleCredentials`. @param sts the endpoint of AWS STS in the region of the registry or bucket. */
  readonly aws: (parts: CloudParts, sts: URL) => Promise<Obtained<AwsCredentials>>;
  readonly google: GoogleAccount;
}

/** The accounts of a machine, which its variables, its files and the metadata servers of clouds tell. */
export function machineRoles(machine: MachineIdentity): MachineRoles {
  return {
    aws: (parts, sts) => roleCredentials({ ...parts, machine, sts }),
    google: accountOfMachine(machine),
  };
}
