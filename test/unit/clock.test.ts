import { describe, expect, it } from 'vitest';
import { createClock } from '../../src/clock.ts';
import { program, textOf } from '../support/house/sources.ts';

const second = 1_000;
const hour = 3_600 * second;

function clockOnTwo() {
  const time = { monotonic: 5_000, wall: Date.UTC(2026, 0, 1) };
  const clock = createClock({ monotonic: () => time.monotonic, wall: () => time.wall });
  /** Moves both sources. */
  const pass = (milliseconds: number) => {
    time.monotonic += milliseconds;
    time.wall += milliseconds;
  };
  return { time, clock, pass };
}

describe('the clock', () => {
  it('begins at 0, counts whole milliseconds, and follows time as it passes', () => {
    const { clock, pass } = clockOnTwo();
    expect(clock()).toBe(0);
    pass(1.5);
    expect(clock()).toBe(1);
    pass(hour);
    expect(clock()).toBe(hour + 1);
  });

  it('goes on when the wall clock is set back', () => {
    const { clock, time, pass } = clockOnTwo();
    clock();
    pass(second);
    time.wall -= hour;
    expect(clock()).toBe(second);
    pass(30 * second);
    expect(clock()).toBe(31 * second);
  });

  it('counts the time in which the monotonic clock stood still', () => {
    const { clock, time, pass } = clockOnTwo();
    clock();
    time.wall += hour;
    expect(clock()).toBe(hour);
    pass(second);
    expect(clock()).toBe(hour + second);
  });

  it('counts a wall clock that is set right again as time, so that ages grow too large and never too small', () => {
    const { clock, time } = clockOnTwo();
    time.wall -= hour;
    expect(clock()).toBe(0);
    time.wall += hour;
    expect(clock()).toBe(hour);
  });

  it('adds up no jitter of the wall clock', () => {
    const { clock, time, pass } = clockOnTwo();
    for (let round = 0; round < 10_000; round += 1) {
      pass(second);
      time.wall += round % 2 === 0 ? 400 : -400;
      clock();
    }
    expect(clock()).toBe(10_000 * second);
  });

  it('lags behind a wall clock that is slewed forward by a second at most', () => {
    const { clock, time, pass } = clockOnTwo();
    const begin = time.wall;
    for (let round = 0; round < 10_000; round += 1) {
      pass(second);
      // NTP slews by 500 ppm at most (adjtime(3)).
      time.wall += 0.5;
      const lag = time.wall - begin - clock();
      expect(lag).toBeGreaterThanOrEqual(0);
      expect(lag).toBeLessThanOrEqual(second + 1);
    }
  });

  it('never goes back, even if both sources do, as on Workers, where they are one', () => {
    const { clock, time, pass } = clockOnTwo();
    pass(second);
    expect(clock()).toBe(second);
    pass(-hour);
    expect(clock()).toBe(second);
    pass(30 * second);
    expect(clock()).toBe(31 * second);
    time.monotonic -= 10;
    expect(clock()).toBeGreaterThanOrEqual(31 * second);
  });
});

describe('the clocks of the machine', () => {
  /** Places that may read them. The other ones get a `Clock` for ages, or a `WallClock` for dates. */
  const readers: Readonly<Record<string, string>> = {
    'src/clock.ts': 'the clocks of the program',
    'src/upstream/send.ts': 'durations in the log and in metrics, which decide nothing',
    'src/upstream/body.ts': 'the time that a body has waited for upstream: a wrong one ends a read too late',
    'src/registry/manifests/conversion-metrics.ts': 'durations in metrics, which decide nothing',
  };
  const reading = /\bDate\.now\b|\bperformance\.now\b|\bnew Date\(\)|\bhrtime\b|\bprocess\.uptime\b/;

  it('are read in the places of this list alone', () => {
    const found = program.filter((file) => reading.test(textOf(file)));
    expect(found).toEqual(Object.keys(readers).toSorted());
  });

  /** Places that get the date: what other machines read too, or people. */
  const datings: readonly string[] = [
    'src/app.ts',
    'src/auth/clouds/acr.ts',
    'src/auth/clouds/aws-credentials.ts',
    'src/auth/clouds/ecr.ts',
    'src/auth/clouds/gcp.ts',
    'src/auth/clouds/login-server.ts',
    'src/auth/jwt.ts',
    'src/cli/commands/check-config.ts',
    'src/cli/commands/store.ts',
    'src/cli/retry-after.ts',
    'src/cli/warm/proxy-access.ts',
    'src/client-state/list-cursor.ts',
    'src/client-state/upload-location.ts',
    'src/client-state/v1-session.ts',
    'src/clock.ts',
    'src/compose/client-auth.ts',
    'src/compose/compose.ts',
    'src/compose/connect-mirrors.ts',
    'src/compose/platform.ts',
    'src/compose/route.ts',
    'src/http/route.ts',
    'src/http/v2/token.ts',
    'src/layers/store/s3/s3-client.ts',
    'src/layers/store/s3/s3-list.ts',
    'src/layers/store/s3/s3-store.ts',
    'src/observability/log.ts',
    'src/registry/registry.ts',
    'src/runtime/node/log.ts',
    'src/runtime/node/platform.ts',
    'src/runtime/node/serve.ts',
    'src/runtime/node/store/folder-space.ts',
    'src/runtime/node/store/folder-store.ts',
    'src/runtime/node/store/open-bucket.ts',
    'src/runtime/node/store/open-store.ts',
    'src/runtime/node/tls/certificate-watch.ts',
    'src/runtime/node/tls/handshake-log.ts',
    'src/runtime/web/embedded-app.ts',
    'src/runtime/web/platform.ts',
    'src/runtime/worker/entry.ts',
    'src/runtime/worker/warm-up.ts',
    'src/upstream/auth/token-cache.ts',
    'src/upstream/client.ts',
  ];

  it('give the date to expiry dates and time stamps alone', () => {
    const found = program.filter((file) =>
      /\bwallClock\b|\bsystemWallClock\b|\bWallClock\b/.test(textOf(file)),
    );
    expect(found).toEqual(datings);
  });

  it('are read by no table of a library: lru-cache reads the monotonic one for a `ttl`', () => {
    const tables = program.filter((file) => /new LRUCache[^;]*?\bttl\b/s.test(textOf(file)));
    expect(tables).toEqual([]);
  });
});
