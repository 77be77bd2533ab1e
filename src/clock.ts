/**
 * The clock of all ages and waits: whole milliseconds since the clock was made. It never goes back, whatever happens to
 * the wall clock, and it counts the time in which the machine slept.
 */
export type Clock = () => number;

/**
 * The date and time of day: for expiry dates and time stamps, which other machines read too. It may be set back or
 * forward at any moment, so no age is taken from it. It returns a `Date`, so that the compiler tells it from a `Clock`.
 */
export type WallClock = () => Date;

/** The two sources of a clock, in milliseconds. */
export interface ClockSources {
  /** Never set, but stands still while the machine sleeps (CLOCK_MONOTONIC, clock_gettime(2)). */
  readonly monotonic: () => number;
  /** May be set, and goes on while the machine sleeps. */
  readonly wall: () => number;
}

/** Slewing and the moment between two readings move the sources apart by less. */
const mostLagMs = 1_000;

const systemSources: ClockSources = { monotonic: () => performance.now(), wall: () => Date.now() };

/**
 * Creates a clock. An age by it is the larger of what the two sources say, up to a second: the clock follows the
 * monotonic source, and adds each forward jump of the wall clock against it. A wall clock that is set back changes no
 * age. A wall clock that is set forward, or back and then right again, makes ages too large by that much: then upstream
 * is asked too early, never too late.
 */
export function createClock({ monotonic, wall }: ClockSources = systemSources): Clock {
  let last = monotonic();
  let ahead = -last;
  /** The least difference of the sources since the last jump. */
  let least = wall() - last;
  return () => {
    const now = monotonic();
    const difference = wall() - now;
    // On Workers, both sources are the wall clock (workerd, api/performance.c++).
    if (now < last) ahead += last - now;
    if (difference < least) least = difference;
    else if (difference - least > mostLagMs) {
      ahead += difference - least;
      least = difference;
    }
    last = now;
    return Math.floor(now + ahead);
  };
}

/** The clock of this process: the only source of ages outside of tests. */
export const systemClock: Clock = createClock();

/** The wall clock of this machine. */
export const systemWallClock: WallClock = () => new Date();
