/** A program that people pull images with. */
export interface Client {
  /**
   * Pulls an image of linux/amd64 afresh, from a registry that speaks plain HTTP.
   * @param reference like `127.0.0.1:5000/name:tag` or `127.0.0.1:5000/name@sha256:…`
   * @returns the root directory of the files as the program unpacked them; good until the next pull.
   */
  pull(reference: string): Promise<string>;
  /**
   * Pulls every tag of a repository by the program's own command for that.
   * @returns the root directories, by tag. Absent where the program has no such command.
   */
  pullAll?(repository: string): Promise<ReadonlyMap<string, string>>;
  /** Ends what was started, and removes what was pulled. */
  stop(): Promise<void>;
}

export interface ClientProgram {
  readonly name: string;
  /** What must be installed. */
  readonly programs: readonly string[];
  start(): Promise<Client>;
}
