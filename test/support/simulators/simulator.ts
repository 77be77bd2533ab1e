import type { Login } from '../upstreams/habit.ts';

/** What a client is told to pull, and as whom. */
export interface Target {
  /** Of a registry on 127.0.0.1 that speaks plain HTTP. */
  readonly port: number;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  readonly login?: Login | undefined;
  /** As Go calls the client's own; amd64 where not said. */
  readonly architecture?: string;
}

/** The parts of a config that a container is made from. */
export interface RunConfig {
  readonly architecture?: string;
  readonly os?: string;
  readonly config?: {
    readonly Cmd?: readonly string[];
    readonly Env?: readonly string[];
    WorkingDir?: string;
  };
}

export interface PulledImage {
  /** What the client calls what it pulled: the digest that it worked out for itself. */
  readonly digest: string;
  /** Content-Types of the manifests, in the order in which they came. */
  readonly types: readonly string[];
  readonly config: RunConfig;
  /** Unpacked tars, base first, without those that hold nothing. */
  readonly layers: readonly Uint8Array[];
  /** Like `GET /v2/`, in order. */
  readonly requests: readonly string[];
}

/**
 * A client that can no longer be run here, or not against every upstream: asks what it asked, in the same order and
 * with the same headers, and refuses what it refused (clients.md).
 */
export interface Simulator {
  readonly name: string;
  /** @throws Error with the reason for which the client would have failed. */
  pull(target: Target): Promise<PulledImage>;
}
