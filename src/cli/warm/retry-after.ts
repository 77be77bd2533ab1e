import { setTimeout as sleep } from 'node:timers/promises';
import { RegistryError } from '../../errors.ts';

/** Comes back when the proxy says so, until it gives what was asked for, and `wait` seconds at most. @throws RegistryError. */
export async function retryAfter<Value>(
  ask: () => Promise<Value>,
  wait: number,
  told: (seconds: number) => void,
): Promise<Value> {
  const until = Date.now() + wait * 1000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const seconds = error instanceof RegistryError ? secondsToWait(error) : undefined;
      if (seconds === undefined || Date.now() + seconds * 1000 > until) throw error;
      told(seconds);
      await sleep(seconds * 1000);
    }
  }
}

/** Of a date in the place of seconds (RFC 9110, section 10.2.3) nothing is known but that it is not now. */
function secondsToWait({ headers }: RegistryError): number | undefined {
  const text = headers['retry-after'] ?? headers['Retry-After'];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  return Number.isFinite(seconds) ? Math.max(1, seconds) : 60;
}
