import type { RedisClient, RedisCommands } from './client.ts';

/** A client of the library for several servers. */
export interface SeveralServers extends RedisCommands {
  connect(): Promise<unknown>;
  close(): Promise<unknown>;
  destroy(): unknown;
}

/**
 * A client that is replaced while it does not work. The library's clients of several servers keep trying the servers
 * that they know, and may never look for others: a cluster's first connection waits for each master, even for one
 * that has lost its slots meanwhile.
 * @param make makes a client that gives up at the first error. It notes the error of one server, which may be without
 *   harm as long as another one works.
 * @param onError gets the reason for which no server could be asked.
 */
export function createReplacedClient(
  make: (note: (error: unknown) => void) => SeveralServers,
  isSharded: boolean,
  onError: (reason: unknown) => void,
): RedisClient {
  let noted: unknown;
  const note = (error: unknown) => {
    noted = error;
  };
  let client = make(note);
  let isConnecting = false;
  let isClosed = false;

  function connect(): void {
    isConnecting = true;
    const current = client;
    current.connect().then(
      () => settled(),
      (error) => {
        settled();
        onError(noted ?? error);
      },
    );
  }

  function settled(): void {
    isConnecting = false;
    if (isClosed) destroy(client);
  }

  return {
    get commands() {
      return client;
    },
    isSharded,
    lastError: () => noted,
    connect,
    reconnect: async () => undefined,
    revive() {
      if (isConnecting || isClosed) return;
      destroy(client);
      noted = undefined;
      client = make(note);
      connect();
    },
    // Sentinels and the nodes of a cluster name the new master.
    renew: () => undefined,
    async close() {
      isClosed = true;
      await client.close();
    },
    destroy() {
      isClosed = true;
      destroy(client);
    },
  };
}

/** Destroys a client in any state: the library throws for one that was never open. */
function destroy(client: SeveralServers): void {
  void (async () => client.destroy())().catch(() => undefined);
}
