import type { Fetch } from '../../upstream/send.ts';

/** The way to the identity that a cloud gives to a machine, a task or a pod. */
export interface MachineIdentity {
  /** The variables of the process, which the cloud sets. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /**
   * Reads a file that the cloud writes and renews.
   * @param variable the variable with the path, for messages.
   * @throws RegistryError MISCONFIGURED with the system's code for the error.
   */
  readonly readFile: (variable: string, path: string) => Promise<string>;
  /** Connects without an outbound proxy: the server is on this machine or its link. */
  readonly fetch: Fetch;
}
