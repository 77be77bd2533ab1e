/** The limits on waits for a registry, in milliseconds. */
export interface UpstreamTimeouts {
  /** From a request to the headers after its last redirect: manifests, lists, `HEAD`, tokens. */
  readonly answerMs: number;
  /**
   * Without a byte in either direction, for requests that write and for blobs. Spooling caches and registries that
   * finalise an upload are silent for minutes, and podman and skopeo wait for them without a limit (containers/image,
   * pkg/tlsclientconfig, `NewTransport` sets no `ResponseHeaderTimeout`).
   */
  readonly standstillMs: number;
}

const leastStandstillMs = 600_000;

/** The limits by REGSHIFT_UPSTREAM_TIMEOUT. */
export function upstreamTimeouts(seconds: number): UpstreamTimeouts {
  const answerMs = seconds * 1000;
  return { answerMs, standstillMs: Math.max(answerMs, leastStandstillMs) };
}

/** The limits without a setting. */
export const usualTimeouts = upstreamTimeouts(300);

/** Milliseconds after which something that can stand in for a late answer does: a stale response. */
export const standInMs = 30_000;

/**
 * The longest wait for shared work of at most two requests to upstream, in milliseconds. Each request has its own limit:
 * this one is for Workers, where work may never settle (`createSingleFlight`).
 */
export function sharedWorkMs(seconds: number): number {
  return Math.max(60_000, 2 * upstreamTimeouts(seconds).answerMs);
}

/** The wait of `sharedWorkMs` without a setting. */
export const usualSharedWorkMs = sharedWorkMs(300);
