import type { Login } from '../upstreams/habit.ts';

/** The image to pull, and the login for it. */
export interface Target {
  /** The port of a registry on 127.0.0.1 without TLS. */
  readonly port: number;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  readonly login?: Login | undefined;
  /** The client's own architecture in Go's words; amd64 by default. */
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
  /** The digest of the pulled manifest, as the client computed it. */
  readonly digest: string;
  /** Content-Types of the manifests, in order. */
  readonly types: readonly string[];
  readonly config: RunConfig;
  /** The decompressed tars, base first, without empty ones. */
  readonly layers: readonly Uint8Array[];
  /** The requests in order, like `GET /v2/`. */
  readonly requests: readonly string[];
}

/**
 * A client that cannot run here, or not in front of every upstream. The simulator sends its requests in the same order
 * with the same headers, and refuses what it refused.
 */
export interface Simulator {
  readonly name: string;
  /** Pulls an image. @throws Error with the reason for which the client fails. */
  pull(target: Target): Promise<PulledImage>;
}
