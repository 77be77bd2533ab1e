/** The commands that regshift sends. Values are bytes. */
export interface RedisCommands {
  /** The bytes from `start` to `end`, both included; none, or null, if the key is absent. */
  getRange(key: string, start: number, end: number): Promise<Buffer | null>;
  set(key: string, value: Buffer | string, options: SetOptions): Promise<unknown>;
  /** Writes numbers into a value, whose absent bytes are zeros, and returns those that they replace. */
  bitField(key: string, operations: SetNumber[]): Promise<readonly (number | null)[]>;
  del(keys: string[]): Promise<unknown>;
  sAdd(key: string, member: string): Promise<unknown>;
  sRem(key: string, members: string[]): Promise<unknown>;
  sMembers(key: string): Promise<readonly Buffer[]>;
  /** Asks every server that must respond. */
  ping(): Promise<unknown>;
}

/** The life of a value in seconds, or in milliseconds for a value that must not be there yet. */
export type SetOptions = { readonly EX: number } | { readonly PX: number; readonly NX: true };

/** The number at a place, like `#3` for the fourth number of its kind. */
export interface SetNumber {
  readonly operation: 'SET';
  readonly encoding: 'u32';
  readonly offset: `#${number}`;
  readonly value: number;
}

/** Notifications of a client. */
export interface RedisEvents {
  /** No server responds that must: the connection broke, or cannot be made. */
  onError(reason: unknown): void;
  /** The servers may work again. */
  onReady(): void;
}

/** A client of one Redis, of the master that Sentinels name, or of a cluster. */
export interface RedisClient {
  /** Fail at once while there is no connection: commands are not queued for later. */
  readonly commands: RedisCommands;
  /**
   * True if several servers hold entries. A response of one then says nothing of the others.
   */
  readonly isSharded: boolean;
  /** The last error of one server, while the client still tries other servers. */
  lastError(): unknown;
  /** Connects in the background. Failures go to `onError`. */
  connect(): void;
  /** A probe begins: connects anew if the connection broke, and the client does not look for other servers. */
  reconnect(): Promise<void>;
  /** A probe has failed: connects anew, if the client does not do it by itself. */
  revive(): void;
  /** The server refuses writes: connects anew, because the name of the server may lead to another one by now. */
  renew(): void;
  /** Closes after the responses to the commands that were sent. */
  close(): Promise<void>;
  /** Closes at once. */
  destroy(): void;
}

/** A connection without any response for this long is closed. The ping is frequent enough to notice it. */
const pingMs = 5_000;
const silenceMs = 12_000;

/** Options of every connection. */
export const connectionOptions = {
  // RESP 3 needs Redis 6.
  RESP: 2,
  disableOfflineQueue: true,
  commandsQueueMaxLength: 10_000,
  pingInterval: pingMs,
  maintNotifications: 'disabled',
  // A user with the cache's rights only would be refused this command.
  disableClientInfo: true,
} as const;

/** Options of every socket. */
export const socketOptions = { connectTimeout: 5_000, socketTimeout: silenceMs } as const;
