import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../observability/log.ts';
import type { Listener } from './http/listener.ts';

export interface ShutdownOptions {
  readonly servers: readonly Server[];
  readonly listener: Pick<Listener, 'lastAnswers' | 'answering' | 'cut'>;
  readonly log: Log;
  /** Milliseconds in which all is served as before, and whoever sends clients here hears that it is not ready. */
  readonly graceMs: number;
  /** Milliseconds for what is under way after that. */
  readonly deadlineMs: number;
}

/** A connection that falls idle is closed within this time. */
const sweepMs = 50;

/**
 * Stops serving without cutting what is under way: no new connections, no second request on an old one, and answers
 * that have begun go on to their end, or to the deadline.
 * @returns how many answers were cut.
 */
export async function shutDown(options: ShutdownOptions): Promise<number> {
  const { servers, listener, log, graceMs, deadlineMs } = options;
  log('info', 'stopping: no longer ready', { graceSeconds: graceMs / 1000 });
  await sleep(graceMs);
  listener.lastAnswers();
  const closed = Promise.all(servers.map((each) => new Promise<unknown>((resolve) => each.close(resolve))));
  const sweep = setInterval(() => {
    for (const server of servers) server.closeIdleConnections();
  }, sweepMs);
  log('info', 'stopping: no new connections', {
    underWay: listener.answering(),
    deadlineSeconds: deadlineMs / 1000,
  });
  const giveUp = new AbortController();
  await Promise.race([
    closed,
    sleep(deadlineMs, undefined, { signal: giveUp.signal }).catch(() => undefined),
  ]);
  giveUp.abort();
  clearInterval(sweep);
  const cut = listener.answering();
  listener.cut();
  for (const server of servers) server.closeAllConnections();
  if (cut > 0) log('warn', 'stopping: answers were cut at the deadline', { cut });
  log('info', 'stopped');
  return cut;
}
