import type { Clock } from '../clock.ts';

export interface CircuitOptions {
  /** Checks the service: resolves if it works. Called only while the circuit is open. */
  readonly probe: () => Promise<void>;
  /** Called once when the circuit opens. */
  readonly onOpen: (reason: string) => void;
  /** Called once when the circuit closes again. */
  readonly onClose: () => void;
  readonly clock: Clock;
}

/**
 * A circuit breaker: keeps work from waiting for a service that does not respond. While the circuit is open, only a
 * probe in the background contacts the service, so that no request waits to learn that the service is down.
 */
export interface Circuit {
  /** Whether work must not use the service. */
  isOpen(): boolean;
  /** The service responded. */
  recordSuccess(): void;
  /** The service did not respond in time. Three timeouts in a row open the circuit; a single pause does not. */
  recordTimeout(reason: string): void;
  /** Opens the circuit at once, for example because the connection broke. */
  open(reason: string): void;
  /**
   * Probes an open circuit without delay, because the service may work again: once after each probe that had its delay. A
   * circuit that opened again soon keeps its first delay. The service may be one that accepts each connection and breaks
   * it, or refuses to work.
   */
  probeNow(): void;
  /** Ends all probes. */
  stop(): void;
}

const mostTimeouts = 3;
const firstProbeMs = 1_000;
const longestProbeMs = 30_000;
/** A circuit that opens again within this time after it closed doubles the delay between its probes. */
const steadyMs = 60_000;

export function createCircuit({ probe, onOpen, onClose, clock }: CircuitOptions): Circuit {
  let isOpen = false;
  let timeouts = 0;
  let waitMs = firstProbeMs;
  /** The next probe, by the clock. */
  let probeAt = Number.POSITIVE_INFINITY;
  let closedAt = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let probing = false;
  /** Whether `probeNow` may probe before the delay is over. */
  let mayProbeEarly = false;
  let stopped = false;

  function open(reason: string): void {
    if (isOpen || stopped) return;
    isOpen = true;
    waitMs = clock() - closedAt > steadyMs ? firstProbeMs : Math.min(waitMs * 2, longestProbeMs);
    mayProbeEarly = waitMs === firstProbeMs;
    onOpen(reason);
    probeLater();
  }

  function probeLater(): void {
    clearTimeout(timer);
    probeAt = clock() + waitMs;
    timer = setTimeout(probeInTurn, waitMs);
  }

  function probeInTurn(): void {
    if (probing) return;
    mayProbeEarly = true;
    void runProbe();
  }

  async function runProbe(): Promise<void> {
    if (!isOpen || probing || stopped) return;
    clearTimeout(timer);
    probing = true;
    const works = await probe().then(
      () => true,
      () => false,
    );
    probing = false;
    if (stopped) return;
    if (!works) return probeLater();
    isOpen = false;
    timeouts = 0;
    closedAt = clock();
    onClose();
  }

  return {
    isOpen() {
      // The timer stands still while the machine sleeps.
      if (isOpen && clock() >= probeAt) probeInTurn();
      return isOpen;
    },
    recordSuccess: () => {
      timeouts = 0;
    },
    recordTimeout(reason) {
      timeouts += 1;
      if (timeouts >= mostTimeouts) open(reason);
    },
    open,
    probeNow() {
      if (!isOpen || probing || !mayProbeEarly) return;
      mayProbeEarly = false;
      void runProbe();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
