import type { Socket } from 'node:net';

/** Looks at a connection within its limit. */
const parts = 20;

/**
 * Calls `end` after this long without a byte on a connection, in either direction, or a twentieth longer at most. Only
 * waiting tells a dead registry from a slow one.
 * @param isExcused true while the silence is not upstream's.
 * @returns stops the watch.
 */
export function watchStandstill(
  socket: Socket,
  limitMs: number,
  end: () => void,
  isExcused: () => boolean = () => false,
): () => void {
  let passed = -1;
  let silentParts = 0;
  const timer = setInterval(() => {
    const now = socket.bytesRead + socket.bytesWritten;
    silentParts = now !== passed || isExcused() ? 0 : silentParts + 1;
    passed = now;
    if (silentParts < parts) return;
    clearInterval(timer);
    end();
  }, limitMs / parts).unref();
  return () => clearInterval(timer);
}
