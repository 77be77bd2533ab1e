/** A program that people pull images with. */
export interface Client {
  /**
   * Pulls an image of linux/amd64 anew, from a registry without TLS.
   * @param reference like `127.0.0.1:5000/name:tag` or `127.0.0.1:5000/name@sha256:…`.
   * @returns the root directory of the extracted files; valid until the next pull.
   */
  pull(reference: string): Promise<string>;
  /**
   * Pulls every tag of a repository by the program's own command. Absent when the program has no such command.
   * @returns the root directories, by tag.
   */
  pullAll?(repository: string): Promise<ReadonlyMap<string, string>>;
  /**
   * Loads an archive. Absent when the program has no such command.
   * @param image a name that the archive gives to its image.
   * @returns the root directory of the extracted files; valid until the next pull or load.
   */
  load?(archive: string, image: string): Promise<string>;
  /** Ends the programs, and removes the pulled images. */
  stop(): Promise<void>;
}

export interface ClientProgram {
  readonly name: string;
  /** The programs that must be installed. */
  readonly programs: readonly string[];
  start(): Promise<Client>;
}
