import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../observability/log.ts';
import type { Listener } from './http/listener.ts';
import { endUnused, stopAccepting } from './http/open-connections.ts';

export interface ShutdownOptions {
  readonly servers: readonly Server[];
  readonly listener: Pick<Listener, 'lastAnswers' | 'answering' | 'cut'>;
  readonly log: Log;
  /** Milliseconds in which the proxy serves as before and reports that it is not ready. */
  readonly graceMs: number;
  /** Milliseconds for the requests in flight after that. */
  readonly deadlineMs: number;
}

/** An idle connection is closed within this time, in milliseconds. */
const sweepMs = 50;

/**
 * Time for the first request of a connection that was open at the stop, in milliseconds. Go gives a new connection 5 s
 * (`closeIdleConns` of net/http/server.go in Go 1.19).
 */
const firstRequestMs = 1_000;

/** A cut response closes, and gets its line in the log, a few turns of the event loop later. */
const closeTurns = 20;
/** Milliseconds. */
const closeMs = 10;

/**
 * Stops serving without cutting requests in flight: no new connection, no second request on an old one, and responses
 * end by themselves or at the deadline. A connection without a whole head of a request does not hold up the stop.
 * @returns the number of responses that were cut.
 */
export async function shutDown(options: ShutdownOptions): Promise<number> {
  const { servers, listener, log, graceMs, deadlineMs } = options;
  log('info', 'stopping: no longer ready', { graceSeconds: graceMs / 1000 });
  await sleep(graceMs);
  listener.lastAnswers();
  const closed = Promise.all(
    servers.map((each) => new Promise<void>((resolve) => stopAccepting(each, resolve))),
  );
  let which: 'served' | 'all' = 'served';
  const patience = setTimeout(() => {
    which = 'all';
  }, firstRequestMs);
  const sweep = setInterval(() => {
    for (const server of servers) endUnused(server, which);
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
  clearTimeout(patience);
  clearInterval(sweep);
  const cut = listener.answering();
  listener.cut();
  for (const server of servers) server.closeAllConnections();
  for (let turn = 0; turn < closeTurns && listener.answering() > 0; turn += 1) await sleep(closeMs);
  if (cut > 0) log('warn', 'stopping: answers were cut at the deadline', { cut });
  log('info', 'stopped');
  return cut;
}
